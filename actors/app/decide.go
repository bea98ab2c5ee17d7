package app

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// view is everything the app actor knows, and all that it decides from.
type view struct {
	// app is nil while there is no App.
	app *appv1.App
	// draining is set when the daemon is about to end: nothing should run.
	draining bool
	vm       messages.VMChanged
	engine   messages.EngineChanged
	// engineSeq is the number of the last command to the engine supervisor.
	engineSeq uint64
	// linked is whether the engine supervisor was told anything yet.
	linked bool
	// graceOver is set some time after the start of this daemon.
	graceOver bool
}

// running is whether the engine should be up.
func (v view) running() bool { return v.app != nil && v.app.Spec.Running && !v.draining }

// mirrored is whether rdd mirrors the wanted engine, or the one that goes on in
// its place.
func (v view) mirrored() bool {
	if v.kept() {
		return v.vm.Engine != appv1.EngineContainerd
	}
	return v.app.Spec.ContainerEngine.Name != appv1.EngineContainerd
}

// kept is whether an engine runs that is not the wanted one: it will be stopped,
// or it goes on because the wanted one cannot be brought up.
func (v view) kept() bool {
	return v.running() && v.vm.Generation == v.app.Generation && v.vm.State == messages.VMRunning && !v.vm.Current
}

// wantedVM is what the VM actor should be told.
func wantedVM(v view) messages.EnsureVM {
	return messages.EnsureVM{
		Generation: v.app.Generation,
		Running:    v.running(),
		Spec: messages.VMSpec{
			Driver: v.app.Spec.VM.Driver, Endpoint: v.app.Spec.VM.Endpoint,
			Engine: v.app.Spec.ContainerEngine.Name, Subnet: v.app.Spec.ContainerEngine.Subnet, VM: vmProperties(v.app.Spec.VM),
		},
	}
}

func vmProperties(spec appv1.VM) messages.VMProperties {
	return messages.VMProperties{
		CPUs: int(spec.CPUs), Memory: bytes(spec.Memory), Disk: bytes(spec.Disk),
		Image: spec.Image, Acceleration: spec.Acceleration,
		Restart: spec.Restart, Reset: spec.Reset,
	}
}

// bytes of a quantity; the API server fills in those that are not set.
func bytes(q *resource.Quantity) int64 {
	if q == nil {
		return 0
	}
	return q.Value()
}

// link is what the engine supervisor should be told.
type link struct {
	// connected is whether there should be an engine.
	connected bool
	endpoint  string
	namespace string
}

// wantedLink says what the engine supervisor should be told; ok is false while
// things should stay as they are.
func wantedLink(v view) (l link, ok bool) {
	switch {
	case !v.running() || !v.mirrored():
		return link{}, true
	case v.vm.Generation != v.app.Generation:
		return link{}, false // the VM actor has not taken up this spec yet
	case v.vm.State == messages.VMRunning:
		return link{connected: true, endpoint: v.vm.Endpoint, namespace: v.app.Spec.Namespace}, true
	case v.vm.State == messages.VMStarting, v.vm.State == messages.VMFailed && (v.linked || !v.graceOver):
		// A VM that is being started again: the engine supervisor sees for itself
		// that the connection broke, and gives it its time of grace. One that a
		// former daemon left running gets the same time to be adopted.
		return link{}, false
	default:
		return link{}, true
	}
}

// drained is whether nothing runs any more.
func (v view) drained() bool {
	return v.draining && v.vm.State == messages.VMStopped && !v.vm.Wanted && v.engineIdle()
}

// engineIdle is whether the engine supervisor has answered the last command and
// has nothing left.
func (v view) engineIdle() bool {
	return v.engine.Seq == v.engineSeq && v.engine.State == messages.EngineIdle
}

// draining returns what a drain waits for.
func draining(v view) messages.Draining {
	var left []string
	if v.vm.State != messages.VMStopped || v.vm.Wanted {
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
