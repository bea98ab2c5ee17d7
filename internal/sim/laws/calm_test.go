package laws

import (
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

func TestDeleteIsNotForgotten(t *testing.T) {
	deleteVolume := func(f *fixture) {
		m := f.mirror(containersv1.KindVolume)
		f.cluster.Delete(keyOf(m))
		f.Deleted(m)
	}
	removeMirror := func(f *fixture) {
		f.remove(containersv1.KindVolume)
		f.broken = nil // another law
	}
	test(t, map[string]forgery{
		"waits": {func(f *fixture) { deleteVolume(f); f.CheckDeletes() }, ""},
		"applied": {func(f *fixture) {
			deleteVolume(f)
			f.must(f.native.Model.RemoveVolume("data", false))
			removeMirror(f)
			f.CheckDeletes()
		}, ""},
		"mirror removed and object left": {func(f *fixture) {
			deleteVolume(f)
			removeMirror(f)
			f.CheckDeletes()
		}, "was forgotten"},
		"mirror replaced and object left": {func(f *fixture) {
			deleteVolume(f)
			removeMirror(f)
			f.create(f.object(containersv1.KindVolume))
			f.CheckDeletes()
		}, "was forgotten"},
		"engine lost meanwhile": {func(f *fixture) {
			deleteVolume(f)
			f.Disturbed()
			removeMirror(f)
			f.CheckDeletes()
		}, ""},
		"engine disconnected meanwhile": {func(f *fixture) {
			deleteVolume(f)
			f.publish(func(app *appv1.App) { setCondition(app, appv1.ConditionEngineReady, "False", appv1.ReasonDisconnected) })
			removeMirror(f)
			f.CheckDeletes()
		}, ""},
		"another object with the name": {func(f *fixture) {
			deleteVolume(f)
			f.must(f.native.Model.RemoveVolume("data", false))
			removeMirror(f)
			time.Sleep(time.Minute)
			f.native.Model.AddVolume("data")
			f.CheckDeletes()
		}, ""},
	})
}

func TestMirrorsKeepTheirUIDs(t *testing.T) {
	test(t, map[string]forgery{
		"same": {func(f *fixture) { f.CheckIdentities(f.Identities()) }, ""},
		"replaced": {func(f *fixture) {
			before := f.Identities()
			f.remove(containersv1.KindVolume)
			f.create(f.object(containersv1.KindVolume))
			f.broken = nil
			f.CheckIdentities(before)
		}, "replaced Volume"},
	})
}

func TestIdleDaemonWritesNothing(t *testing.T) {
	refuse := func(f *fixture) {
		f.cluster.Delete(f.key(containersv1.KindImage))
		f.refuse(containersv1.KindImage, containersv1.ConditionEngineDeleted)
	}
	test(t, map[string]forgery{
		"idle":                        {func(f *fixture) { f.CheckIdle(0, 0, time.Minute) }, ""},
		"writes":                      {func(f *fixture) { f.CheckIdle(1, 0, time.Minute) }, "1 writes in 1m0s without a cause"},
		"commands":                    {func(f *fixture) { f.CheckIdle(0, 1, time.Minute) }, "1 commands in 1m0s without a cause"},
		"retries of a refused delete": {func(f *fixture) { refuse(f); f.CheckIdle(0, 1, time.Minute) }, ""},
		"problems":                    {func(f *fixture) { f.native.Model.AddVolume("new"); f.CheckIdle(0, 0, time.Minute) }, "has no mirror"},
	})
}

func TestDaemonLeavesNothing(t *testing.T) {
	test(t, map[string]forgery{
		"engine":         {(*fixture).CheckStopped, "native is Present after the daemon has stopped it"},
		"stopped engine": {func(f *fixture) { f.native.End(machine.Absent); f.CheckStopped() }, ""},
		"mirrors":        {(*fixture).CheckNoMirrors, "mirrors are left"},
		"unchanged spec": {func(f *fixture) { f.CheckSpec(f.cluster.App()) }, ""},
		"changed spec": {func(f *fixture) {
			before := f.cluster.App()
			f.changeSpec(func(s *appv1.AppSpec) { s.Running = false })
			f.CheckSpec(before)
		}, "the App's spec was changed"},
	})
}

func TestActorFailsOnlyByFault(t *testing.T) {
	test(t, map[string]forgery{
		"simulated bug": {func(f *fixture) { f.Failed("root/app", "simulated bug, before the message", false) }, ""},
		"session":       {func(f *fixture) { f.Failed("root/engine/session", "EOF", true) }, ""},
		"bug":           {func(f *fixture) { f.Failed("root/app", "index out of range", false) }, "has failed without a simulated bug"},
	})
}
