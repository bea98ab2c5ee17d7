package laws

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

// hubbed makes the fixture one of a hub, whose Lease the machine has just renewed.
func hubbed(allow hubv1.Allow, forge func(*fixture)) func(*fixture) {
	return func(f *fixture) {
		f.Join(f.cluster, appv1.DefaultNamespace, allow)
		f.Renewed()
		forge(f)
	}
}

func operating(forge func(*fixture)) func(*fixture) { return hubbed(hubv1.AllowOperate, forge) }

// written checks a write of a mirror, as a hub stores it.
func (f *fixture) written(verb string, kind containersv1.Kind, change func(containersv1.Mirror)) {
	before, begun := f.mirror(kind), time.Now()
	after := before.CopyMirror()
	change(after)
	f.wrote(cluster.Write{Verb: verb, Key: keyOf(before), Begun: begun, Before: before, After: after})
}

func (f *fixture) deleteMirror(kind containersv1.Kind) {
	m := f.mirror(kind)
	f.cluster.Delete(keyOf(m))
	f.Deleted(m)
}

// carryOut writes the end of a deletion.
func (f *fixture) carryOut(kind containersv1.Kind) {
	f.written("patch finalizers", kind, func(m containersv1.Mirror) { m.SetFinalizers(nil) })
}

func TestWriteNeedsLease(t *testing.T) {
	touch := func(f *fixture) { f.written("update status", containersv1.KindVolume, func(containersv1.Mirror) {}) }
	test(t, map[string]forgery{
		"held":     {operating(touch), ""},
		"released": {operating(func(f *fixture) { f.Released(); time.Sleep(time.Second); touch(f) }), "does not hold its Lease"},
		"renewed long ago": {operating(func(f *fixture) {
			time.Sleep(leaseDuration + time.Second)
			touch(f)
		}), "has renewed its Lease 41s before"},
		"almost expired": {operating(func(f *fixture) { time.Sleep(leaseDuration); touch(f) }), ""},
		"new daemon": {operating(func(f *fixture) {
			f.DaemonStarted()
			time.Sleep(time.Second)
			touch(f)
		}), "does not hold its Lease"},
	})
}

func TestNamespaceDeletionRemovesNoObject(t *testing.T) {
	leave := func(f *fixture) { f.NamespaceDeleted(f.cluster.DeleteAll()) }
	remove := func(f *fixture) { f.command("remove", containersv1.KindVolume, "data") }
	test(t, map[string]forgery{
		"with the namespace": {operating(func(f *fixture) { leave(f); remove(f) }), "no user requests that"},
		"before":             {operating(func(f *fixture) { f.deleteMirror(containersv1.KindVolume); leave(f); remove(f) }), ""},
		"before its status was written": {operating(func(f *fixture) {
			v := f.mirror(containersv1.KindVolume)
			f.cluster.Forge(keyOf(v), func(m containersv1.Mirror) { m.SetStatusFrom(&containersv1.Volume{}) })
			f.cluster.Delete(keyOf(v))
			time.Sleep(time.Minute)
			remove(f)
		}), ""},
		"mirror goes": {operating(func(f *fixture) { leave(f); f.carryOut(containersv1.KindVolume) }), ""},
		"mirror goes without it": {
			operating(func(f *fixture) { f.carryOut(containersv1.KindVolume) }), "the engine has it",
		},
	})
}

func TestRestoredHubRepeatsNothing(t *testing.T) {
	start := func(f *fixture) { f.command("start", containersv1.KindContainer, f.container) }
	remove := func(f *fixture) { f.command("remove", containersv1.KindVolume, "data") }
	test(t, map[string]forgery{
		"state of before": {operating(func(f *fixture) {
			f.desire(containersv1.StateRunning)
			start(f)
			earlier := f.cluster.Snapshot()
			f.written("update status", containersv1.KindContainer, func(m containersv1.Mirror) {
				m.(*containersv1.Container).Status.ObservedGeneration = m.GetGeneration()
			})
			f.cluster.Restore(earlier)
			f.Restored()
			f.MirrorStarted(f.container)
			start(f)
		}), "no user requests that"},
		"state that was not carried out": {operating(func(f *fixture) {
			f.desire(containersv1.StateRunning)
			f.cluster.Restore(f.cluster.Snapshot())
			f.Restored()
			start(f)
		}), ""},
		"delete of before": {operating(func(f *fixture) {
			f.deleteMirror(containersv1.KindVolume)
			remove(f)
			f.carryOut(containersv1.KindVolume)
			f.Restored()
			remove(f)
		}), "no user requests that"},
		"new delete": {operating(func(f *fixture) {
			f.deleteMirror(containersv1.KindVolume)
			f.must(f.native.Model.RemoveVolume("data", false))
			f.carryOut(containersv1.KindVolume)
			f.native.Model.AddVolume("data")
			f.Restored()
			f.deleteMirror(containersv1.KindVolume)
			remove(f)
		}), ""},
	})
}

func TestHubAllowsWhatOwnerAllows(t *testing.T) {
	start := func(f *fixture) {
		f.desire(containersv1.StateRunning)
		f.command("start", containersv1.KindContainer, f.container)
	}
	create := func(f *fixture) {
		r := &containersv1.VolumeCreateRequest{Spec: containersv1.VolumeCreateRequestSpec{Name: "new"}}
		r.Name, r.Namespace = "request", appv1.DefaultNamespace
		f.cluster.CreateRequest(r)
		f.command("create", containersv1.KindVolume, "new")
	}
	test(t, map[string]forgery{
		"start with operate":  {operating(start), ""},
		"start with view":     {hubbed(hubv1.AllowView, start), "may only see"},
		"create with create":  {hubbed(hubv1.AllowCreate, create), ""},
		"create with operate": {operating(create), "no request asks for that"},
	})
}

func TestHubIsFollowed(t *testing.T) {
	publish := func(f *fixture, status metav1.ConditionStatus, reason string) {
		f.publish(func(app *appv1.App) { setCondition(app, appv1.ConditionHubSynced, status, reason) })
		f.problems()
	}
	test(t, map[string]forgery{
		"synced":       {operating(func(f *fixture) { publish(f, metav1.ConditionTrue, appv1.ReasonHubSynced) }), ""},
		"away":         {operating(func(f *fixture) { publish(f, metav1.ConditionFalse, appv1.ReasonHubAway) }), "HubSynced is False/Away"},
		"no condition": {operating((*fixture).problems), "no condition HubSynced"},
		"a mirror is missing": {operating(func(f *fixture) {
			f.native.Model.AddVolume("more")
			publish(f, metav1.ConditionTrue, appv1.ReasonHubSynced)
		}), "has no mirror"},
	})
}

func TestHubActionsAndLabels(t *testing.T) {
	accept := func(m containersv1.Mirror) {
		m.(*containersv1.Container).Status.LastAction = &containersv1.ActionStatus{Action: containersv1.ActionStart, State: containersv1.ActionRunning, ObservedAt: metav1.NowMicro()}
	}
	test(t, map[string]forgery{
		"annotation of an accepted action goes first": {operating(func(f *fixture) {
			f.write(containersv1.KindContainer, accept)
			f.cluster.RequestAction(f.key(containersv1.KindContainer), containersv1.ActionStart)
			f.written("patch annotations", containersv1.KindContainer, func(m containersv1.Mirror) { m.SetAnnotations(nil) })
		}), ""},
		"annotation goes before it is accepted": {operating(func(f *fixture) {
			f.cluster.RequestAction(f.key(containersv1.KindContainer), containersv1.ActionStart)
			f.written("patch annotations", containersv1.KindContainer, func(m containersv1.Mirror) { m.SetAnnotations(nil) })
		}), "the annotation"},
		"label of a user": {operating(func(f *fixture) {
			f.cluster.Label(f.key(containersv1.KindVolume), map[string]string{"mine": "1"})
			f.written("patch labels", containersv1.KindVolume, func(m containersv1.Mirror) { m.SetLabels(nil) })
		}), "label mine of a user"},
		"own label": {operating(func(f *fixture) {
			f.written("patch labels", containersv1.KindVolume, func(m containersv1.Mirror) { m.SetLabels(map[string]string{"new": "1"}) })
		}), "label new has no owner"},
		"older status": {operating(func(f *fixture) {
			f.written("update status", containersv1.KindContainer, func(m containersv1.Mirror) { m.(*containersv1.Container).Status.Name = "forged" })
		}), "the engine has never had"},
	})
}

func TestHubDeleteIsNotForgotten(t *testing.T) {
	forget := func(f *fixture) {
		m := f.mirror(containersv1.KindVolume)
		f.deleteMirror(containersv1.KindVolume)
		f.cluster.SetFinalizer(keyOf(m), containersv1.Finalizer, false)
	}
	test(t, map[string]forgery{
		"forgotten": {operating(func(f *fixture) { forget(f); f.CheckDeletes() }), "was forgotten"},
		"restored":  {operating(func(f *fixture) { forget(f); f.Restored(); f.CheckDeletes() }), ""},
	})
}

func TestRefusalExplainsCommands(t *testing.T) {
	test(t, map[string]forgery{
		"none": {func(f *fixture) { f.CheckIdle(0, 1, time.Minute) }, "1 commands"},
		"some": {func(f *fixture) {
			f.refuse(containersv1.KindVolume, containersv1.ConditionEngineDeleted)
			if !f.HasRefusal() || meta.FindStatusCondition(*f.mirror(containersv1.KindVolume).MirrorConditions(), containersv1.ConditionEngineDeleted) == nil {
				f.Violate("no refusal")
			}
		}, ""},
	})
}
