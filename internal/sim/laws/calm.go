package laws

import (
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// Identities are the UIDs of mirrors.
type Identities map[cluster.Key]types.UID

// Identities returns the UIDs of the mirrors that are not deleted.
func (l *Laws) Identities() Identities {
	uids := Identities{}
	for _, o := range l.cluster.Mirrors() {
		if o.GetDeletionTimestamp() == nil {
			uids[keyOf(o)] = o.GetUID()
		}
	}
	return uids
}

// CheckIdentities checks that no mirror was replaced by another one of its name.
func (l *Laws) CheckIdentities(before Identities) {
	for _, o := range l.cluster.Mirrors() {
		if uid := before[keyOf(o)]; uid != "" && uid != o.GetUID() {
			l.violate("a short blip of the engine replaced %s %.16s", o.MirrorKind(), o.GetName())
		}
	}
}

// CheckIdle checks that nothing was written and that the engine got no command for a
// time in which there was nothing to do. A command that the engine refused is
// retried.
func (l *Laws) CheckIdle(writes int64, commands int, in time.Duration) {
	if writes > 0 {
		l.violate("%d writes in %s without a cause", writes, in)
	}
	if commands > 0 && !l.HasRefusal() {
		l.violate("%d commands in %s without a cause", commands, in)
	}
	for _, p := range l.Problems() {
		l.violate("wrong after all was well: %s", p)
	}
}

// HasRefusal reports whether the engine refuses what a mirror requests, so that a command is
// retried.
func (l *Laws) HasRefusal() bool {
	return slices.ContainsFunc(l.cluster.Mirrors(), func(m containersv1.Mirror) bool {
		return containersv1.FindCondition(m, containersv1.ConditionEngineDeleted) != nil || containersv1.FindCondition(m, containersv1.ConditionStateReached) != nil
	})
}

// CheckSpec checks that a daemon has not changed the spec of the App.
func (l *Laws) CheckSpec(before *appv1.App) {
	if after := l.cluster.App(); before != nil && !reflect.DeepEqual(after.Spec, before.Spec) {
		l.violate("the App's spec was changed: %+v, was %+v", after.Spec, before.Spec)
	}
}

// CheckStopped checks that a daemon that was to stop the engine has left nothing.
func (l *Laws) CheckStopped() {
	for _, m := range l.machines {
		if is := m.Presence(); m.Managed && is != machine.Absent {
			l.violate("%s is %s after the daemon has stopped it", m.Name, is)
		}
	}
}

// CheckNoMirrors checks that no mirror is left of an engine that was stopped.
func (l *Laws) CheckNoMirrors() {
	if n := len(l.cluster.Mirrors()); n > 0 {
		l.violate("%d mirrors are left of an engine that was stopped", n)
	}
}
