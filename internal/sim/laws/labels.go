package laws

import (
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

// labeled checks the labels of a mirror after a write of rdd: they are those of the
// engine's object in the status, and those of users.
func (l *Laws) labeled(write cluster.Write) {
	after := write.After.(containersv1.Mirror)
	if !containersv1.HasResourceLabels(after, after) {
		l.violateWrite(write, "labels %v of the engine, and %v of the resource", after.EngineLabels(), after.GetLabels())
	}
	before, ok := write.Before.(containersv1.Mirror)
	if !ok {
		return
	}
	for key, value := range before.GetLabels() {
		_, was := before.EngineLabels()[key]
		_, is := after.EngineLabels()[key]
		if now, ok := after.GetLabels()[key]; !was && !is && (!ok || now != value) {
			l.violateWrite(write, "label %s of a user was %q, and is %q", key, value, now)
		}
	}
	for key := range after.GetLabels() {
		_, had := before.GetLabels()[key]
		if _, is := after.EngineLabels()[key]; !had && !is {
			l.violateWrite(write, "label %s has no owner", key)
		}
	}
}
