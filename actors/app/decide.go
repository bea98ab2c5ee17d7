package app

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/mounts"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// view has all facts that the commands and the conditions follow from.
type view struct {
	// app is nil while there is no App.
	app *appv1.App
	// draining is set when the daemon ends: nothing should run.
	draining bool
	vm       messages.VMChanged
	engine   messages.EngineChanged
	// hub is the second home of the mirrors, if this machine has joined one.
	hub messages.HubChanged
	// engineSeq is the number of the last command to the engine supervisor.
	engineSeq uint64
	// linked is set once a command was sent to the engine supervisor.
	linked bool
	// use has what vm.idleStop depends on, besides the other facts.
	use use
	// isSuspended is set while the last command to the engine supervisor was to suspend.
	isSuspended bool
	// graceOver is set when the grace period after the start of the daemon is over.
	graceOver bool
}

// running reports whether an engine is desired.
func (v view) running() bool { return v.app != nil && v.app.Spec.Running && !v.draining }

// mirrored reports whether rdd mirrors the desired engine, or the one that is kept in
// its place.
func (v view) mirrored() bool {
	if v.kept() {
		return v.vm.Engine != appv1.EngineContainerd
	}
	return v.app.Spec.ContainerEngine.Name != appv1.EngineContainerd
}

// kept reports whether an engine runs that is not the desired one. It will be stopped,
// or it keeps running because the desired one cannot be started.
func (v view) kept() bool {
	return v.running() && v.vm.Generation == v.app.Generation && v.vm.State == messages.VMRunning && !v.vm.Current
}

// desiredVM returns the command for the VM actor.
func desiredVM(v view) messages.EnsureVM {
	return messages.EnsureVM{
		Generation: v.app.Generation,
		Running:    v.running() && !v.use.idle,
		Idle:       v.idleFor(),
		Spec: messages.VMSpec{
			Driver: v.app.Spec.VM.Driver, Endpoint: v.app.Spec.VM.Endpoint,
			Engine: v.app.Spec.ContainerEngine.Name, Subnet: v.app.Spec.ContainerEngine.Subnet,
			Settings: engineSettings(v.app.Spec.ContainerEngine), VM: vmProperties(v.app.Spec.VM),
		},
	}
}

// engineSettings returns the settings of the engine. The API server accepts only those
// that can be encoded.
func engineSettings(spec appv1.ContainerEngine) string {
	settings, err := engineconfig.Of(spec)
	if err != nil {
		return ""
	}
	return settings.Encode()
}

func vmProperties(spec appv1.VM) messages.VMProperties {
	return messages.VMProperties{
		CPUs: int(spec.CPUs), Memory: bytes(spec.Memory), Disk: bytes(spec.Disk),
		Image: spec.Image, Acceleration: spec.Acceleration, Mounts: vmMounts(spec.Mounts),
		Restart: spec.Restart, Reset: spec.Reset,
	}
}

// vmMounts returns the shared directories. The API server accepts only valid ones.
func vmMounts(texts []string) string {
	list, err := mounts.List(texts)
	if err != nil {
		return ""
	}
	return mounts.Encode(list)
}

// bytes returns a quantity in bytes; 0 for the default.
func bytes(q *resource.Quantity) int64 {
	if q == nil {
		return 0
	}
	return q.Value()
}

// link is the desired state of the engine supervisor.
type link struct {
	// connected is whether an engine should be mirrored.
	connected bool
	endpoint  string
	namespace string
	driver    appv1.DriverName
	// suspended is whether the mirrors stay although no engine runs.
	suspended bool
	// inVM is whether the engine runs in a VM that shares the directories of mounts.
	inVM   bool
	mounts string
}

// command returns the command for the engine supervisor.
func (l link) command(seq uint64) messages.EngineCommand {
	switch {
	case l.suspended:
		return messages.SuspendEngine{Seq: seq, Driver: l.driver}
	case l.connected:
		return messages.ConnectEngine{Seq: seq, Endpoint: l.endpoint, Namespace: l.namespace, Driver: l.driver, InVM: l.inVM, Mounts: l.mounts}
	default:
		return messages.DisconnectEngine{Seq: seq}
	}
}

// desiredLink returns the desired state of the engine supervisor; ok is false while the
// last one stays.
func desiredLink(v view) (l link, ok bool) {
	switch {
	case !v.running() || !v.mirrored():
		return link{}, true
	case v.use.idle && (v.vm.State != messages.VMRunning || v.vm.Generation != v.app.Generation):
		return link{suspended: true, driver: appv1.DriverLima}, true // no other engine can be idle
	case v.vm.Generation != v.app.Generation:
		return link{}, false // the VM actor has not received this spec yet
	case v.vm.State == messages.VMRunning:
		l := link{connected: true, endpoint: v.vm.Endpoint, namespace: v.app.Spec.Namespace, driver: v.vm.Driver}
		// The mounts of a user's lima.yaml are not known.
		if l.inVM = l.driver == appv1.DriverLima && !appv1.IsLimaYAML(v.app.Spec.VM.Image); l.inVM {
			l.mounts = vmMounts(v.app.Spec.VM.Mounts)
		}
		return l, true
	case v.isSuspended:
		return link{}, false // the VM is started again
	case v.vm.State == messages.VMStarting, v.vm.State == messages.VMFailed && (v.linked || !v.graceOver):
		// The VM restarts: the engine supervisor observes the lost connection itself,
		// and grants the grace period. An engine of a former daemon gets the same time
		// to be adopted.
		return link{}, false
	default:
		return link{}, true
	}
}

// drained reports whether a drain is complete: nothing runs.
func (v view) drained() bool {
	return v.draining && v.vm.State == messages.VMStopped && !v.vm.Desired && v.engineIdle()
}

// engineIdle reports whether the engine supervisor has answered the last command and
// has no mirror left.
func (v view) engineIdle() bool {
	return v.engine.Seq == v.engineSeq && v.engine.State == messages.EngineIdle
}

// draining returns the progress of a drain.
func draining(v view) messages.Draining {
	var left []string
	if v.vm.State != messages.VMStopped || v.vm.Desired {
		left = append(left, withMessage("the engine is "+string(v.vm.State), v.vm.Message))
	}
	if !v.engineIdle() {
		left = append(left, withMessage("the mirrors are "+string(v.engine.State), v.engine.Message))
	}
	return messages.Draining{EngineStopping: v.vm.State == messages.VMStopping, Left: strings.Join(left, "; ")}
}

func withMessage(text, message string) string {
	if message == "" {
		return text
	}
	return text + " (" + message + ")"
}
