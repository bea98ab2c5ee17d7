package app

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const generation = 3

// settled returns a view in which the spec is fully applied.
func settled(running bool) view {
	a := &appv1.App{}
	a.Name, a.Generation = appv1.AppName, generation
	a.Spec.Running, a.Spec.Namespace = running, "rancher-desktop"
	a.Spec.ContainerEngine.Name = appv1.EngineMoby
	v := view{app: a, linked: true, engineSeq: 7}
	v.vm = messages.VMChanged{Generation: generation, Desired: running, State: messages.VMStopped}
	v.engine = messages.EngineChanged{Seq: 7, State: messages.EngineIdle}
	if running {
		v.vm.State, v.vm.Current, v.vm.Endpoint = messages.VMRunning, true, "unix:///docker.sock"
		v.engine.State = messages.EngineReady
	}
	return v
}

func TestConditions(t *testing.T) {
	containerd := func(v *view) { v.app.Spec.ContainerEngine.Name = appv1.EngineContainerd }
	for _, tc := range []struct {
		name                    string
		running                 bool
		change                  func(*view)
		vmReason, ready, reason string
		settled                 metav1.ConditionStatus
	}{
		{"running", true, func(*view) {}, "Started", "Connected", "Settled", metav1.ConditionTrue},
		{"stopped", false, func(*view) {}, "Stopped", "Stopped", "Settled", metav1.ConditionTrue},
		{"starting", true, func(v *view) { v.vm.State = messages.VMStarting; v.engine.State = messages.EngineConnecting }, "Starting", "Disconnected", "Starting", metav1.ConditionFalse},
		{"a change is refused, or not applied yet", true, func(v *view) { v.vm.Current = false }, "Started", "Connected", "Started", metav1.ConditionFalse},
		{"start failed", true, func(v *view) { v.vm.State = messages.VMFailed; v.engine.State = messages.EngineIdle }, "StartFailed", "Stopped", "StartFailed", metav1.ConditionFalse},
		{"stop failed", false, func(v *view) { v.vm.State = messages.VMFailed }, "StopFailed", "Stopped", "StopFailed", metav1.ConditionFalse},
		{"syncing", true, func(v *view) { v.engine.State = messages.EngineSyncing }, "Started", "Disconnected", "Disconnected", metav1.ConditionFalse},
		{"cannot connect", true, func(v *view) { v.engine.State = messages.EngineConnecting; v.engine.Failing = true }, "Started", "ConnectFailed", "ConnectFailed", metav1.ConditionFalse},
		{"disconnected", true, func(v *view) { v.engine.State = messages.EngineDisconnected }, "Started", "Disconnected", "Disconnected", metav1.ConditionFalse},
		{"the engine does not answer its health checks", true, func(v *view) { v.vm.State, v.vm.Silent = messages.VMFailed, true }, "StartFailed", "Disconnected", "StartFailed", metav1.ConditionFalse},
		{"I1: containerd is not mirrored", true, func(v *view) { containerd(v); v.engine.State = messages.EngineIdle }, "Started", "NotApplicable", "Settled", metav1.ConditionTrue},
		{"I1: moby's mirrors are being removed", true, func(v *view) { containerd(v); v.engine.State = messages.EngineCleaning }, "Started", "NotApplicable", "Stopping", metav1.ConditionFalse},
		{"I4: disconnected, but the VM still stops", false, func(v *view) { v.vm.State = messages.VMStopping }, "Stopping", "Stopped", "Stopping", metav1.ConditionFalse},
		{"mirrors are being removed", false, func(v *view) { v.engine.State = messages.EngineCleaning }, "Stopped", "Stopped", "Stopping", metav1.ConditionFalse},
		{"the engine supervisor was idle before the last command", false, func(v *view) { v.engine.Seq = 6 }, "Stopped", "Stopped", "Stopping", metav1.ConditionFalse},
		{"the engine supervisor was ready before the last command", true, func(v *view) { v.engine.Seq = 6 }, "Started", "Connected", "Connected", metav1.ConditionFalse},
		{"the VM actor has not received the change", true, func(v *view) { v.vm.Generation = generation - 1 }, "Started", "Connected", "Started", metav1.ConditionFalse},
		{"the daemon ends", true, func(v *view) {
			v.draining = true
			v.vm.State, v.vm.Desired = messages.VMStopped, false
			v.engine.State = messages.EngineIdle
		}, "Stopped", "Stopped", "Stopping", metav1.ConditionFalse},
		{"the running engine is of an older spec", true, func(v *view) { v.vm.Current = false }, "Started", "Connected", "Started", metav1.ConditionFalse},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := settled(tc.running)
			tc.change(&v)
			got := conditions(v)
			for typ, want := range map[string]string{
				appv1.ConditionRunning: tc.vmReason, appv1.ConditionEngineReady: tc.ready, appv1.ConditionSettled: tc.reason,
			} {
				c := meta.FindStatusCondition(got, typ)
				if c.Reason != want {
					t.Errorf("%s: reason %q, want %q (%s)", typ, c.Reason, want, c.Message)
				}
				if c.ObservedGeneration != generation {
					t.Errorf("%s: observedGeneration %d, want %d", typ, c.ObservedGeneration, generation)
				}
			}
			if c := meta.FindStatusCondition(got, appv1.ConditionSettled); c.Status != tc.settled {
				t.Errorf("Settled is %s, want %s: %s", c.Status, tc.settled, c.Message)
			}
		})
	}
}

// Settled has the full text of a failure when it happens, and one line of it during the
// retry. Running keeps the full text.
func TestSettledShortensFailureDuringRetry(t *testing.T) {
	for state, isFull := range map[messages.VMState]bool{messages.VMFailed: true, messages.VMStarting: false} {
		v := settled(true)
		v.vm.State, v.vm.Message = state, failuretext.Retrying("booting", 2, "no way\n  the console")
		out := conditions(v)
		if got := meta.FindStatusCondition(out, appv1.ConditionSettled).Message; strings.Contains(got, "console") != isFull || !strings.Contains(got, "no way") {
			t.Errorf("%s: Settled says %q", state, got)
		}
		if got := meta.FindStatusCondition(out, appv1.ConditionRunning).Message; !strings.Contains(got, "console") {
			t.Errorf("%s: Running says %q", state, got)
		}
	}
}

func TestDesiredLink(t *testing.T) {
	connected := link{connected: true, endpoint: "unix:///docker.sock", namespace: "rancher-desktop"}
	for _, tc := range []struct {
		name    string
		running bool
		change  func(*view)
		want    link
		ok      bool
	}{
		{"runs", true, func(*view) {}, connected, true},
		{"in a VM", true, func(v *view) { v.vm.Driver, v.app.Spec.VM.Mounts = appv1.DriverLima, []string{"~"} }, link{connected: true, endpoint: "unix:///docker.sock", namespace: "rancher-desktop", driver: appv1.DriverLima, inVM: true, mounts: "~:r"}, true},
		{"in a VM of the user's lima.yaml", true, func(v *view) { v.vm.Driver, v.app.Spec.VM.Image = appv1.DriverLima, "/my.yaml" }, link{connected: true, endpoint: "unix:///docker.sock", namespace: "rancher-desktop", driver: appv1.DriverLima}, true},
		{"should not run", false, func(*view) {}, link{}, true},
		{"the daemon ends", true, func(v *view) { v.draining = true }, link{}, true},
		{"another engine is not mirrored", true, func(v *view) { v.app.Spec.ContainerEngine.Name = appv1.EngineContainerd }, link{}, true},
		{"spec not received yet", true, func(v *view) { v.vm.Generation-- }, link{}, false},
		{"crashed and restarting: grace period", true, func(v *view) { v.vm.State, v.vm.Current = messages.VMStarting, false }, link{}, false},
		{"crashed, waits for a retry: grace period", true, func(v *view) { v.vm.State, v.vm.Current = messages.VMFailed, false }, link{}, false},
		{"failed from the start: mirrors of a former daemon are removed", true, func(v *view) { v.vm.State, v.linked, v.graceOver = messages.VMFailed, false, true }, link{}, true},
		{"E4: the engine of a former daemon was not adopted at once: grace period", true, func(v *view) { v.vm.State, v.linked = messages.VMFailed, false }, link{}, false},
		{"the running engine is of another spec: it is mirrored while it runs", true, func(v *view) { v.vm.Current = false; v.app.Spec.ContainerEngine.Name = appv1.EngineContainerd }, link{connected: true, endpoint: "unix:///docker.sock", namespace: "rancher-desktop"}, true},
		{"the running engine is of another spec and not mirrored", true, func(v *view) { v.vm.Current, v.vm.Engine = false, appv1.EngineContainerd }, link{}, true},
		{"stopping for another spec", true, func(v *view) { v.vm.State = messages.VMStopping }, link{}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := settled(tc.running)
			tc.change(&v)
			if got, ok := desiredLink(v); got != tc.want || ok != tc.ok {
				t.Errorf("desiredLink = %+v, %v; want %+v, %v", got, ok, tc.want, tc.ok)
			}
		})
	}
}

func TestDrainedWhenNothingRuns(t *testing.T) {
	v := settled(false)
	v.draining = true
	if !v.drained() {
		t.Error("not drained although nothing runs")
	}
	for name, change := range map[string]func(*view){
		"VM still stopping":       func(v *view) { v.vm.State = messages.VMStopping },
		"stop not received":       func(v *view) { v.vm.Desired = true },
		"mirrors left":            func(v *view) { v.engine.State = messages.EngineCleaning },
		"stale answer":            func(v *view) { v.engine.Seq-- },
		"no drain":                func(v *view) { v.draining = false },
		"VM could not be stopped": func(v *view) { v.vm.State = messages.VMFailed },
	} {
		v := settled(false)
		v.draining = true
		change(&v)
		if v.drained() {
			t.Errorf("%s: drained", name)
		}
	}
}
