package vm

import (
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

var (
	auto       = messages.VMSpec{Driver: appv1.DriverAuto, Engine: appv1.EngineMoby}
	native     = messages.VMSpec{Driver: appv1.DriverNative, Engine: appv1.EngineMoby}
	containerd = messages.VMSpec{Driver: appv1.DriverNative, Engine: appv1.EngineContainerd}
	lima       = messages.VMSpec{Driver: appv1.DriverLima, Engine: appv1.EngineMoby}
	remote     = messages.VMSpec{Driver: appv1.DriverExternal, Engine: appv1.EngineMoby, Endpoint: "unix:///a"}
)

func twoCPUs(spec messages.VMSpec) messages.VMSpec {
	spec.VM.CPUs = 2
	return spec
}

// checked returns the facts after a check of spec.
func checked(f facts, spec messages.VMSpec, ok bool) facts {
	f.checked, f.checkedSpec, f.refused = true, spec, !ok
	return f
}

func TestNextFollowsDesiredState(t *testing.T) {
	up := desiredState{known: true, running: true, spec: native}
	down := desiredState{known: true, spec: native}
	rests := desiredState{known: true, spec: native, idle: time.Minute}
	held := func(f facts) facts {
		f.holding = true
		return f
	}
	absent := facts{inspected: true, found: Observed{Presence: Absent}}
	present := facts{inspected: true, found: Observed{Presence: Present, Spec: native}, foundBy: appv1.DriverNative}
	broken := facts{inspected: true, found: Observed{Presence: Broken, Spec: native}, foundBy: appv1.DriverNative}
	other := facts{inspected: true, found: Observed{Presence: Present, Spec: containerd}, foundBy: appv1.DriverNative}
	machine := facts{inspected: true, found: Observed{Presence: Present, Spec: lima}, foundBy: appv1.DriverLima}
	attached := facts{attached: true, attachedSpec: native}

	tests := []struct {
		name    string
		desired desiredState
		facts   facts
		want    action
		state   messages.VMState
	}{
		{"idle, runs: hold its connections first", rests, attached, doHold, messages.VMRunning},
		{"idle, runs, held: stop", rests, held(attached), doStop, messages.VMRunning},
		{"idle, runs, in use", rests, facts{attached: true, attachedSpec: native, inUse: true}, doNothing, messages.VMRunning},
		{"idle, not inspected", rests, facts{}, doInspect, messages.VMStopping},
		{"idle, absent: hold", rests, absent, doHold, messages.VMStopped},
		{"idle, absent, held", rests, held(absent), doNothing, messages.VMStopped},
		{"idle, present: it may be in use", rests, present, doNothing, messages.VMStopping},
		{"idle, present after a failed stop: stop again", rests, held(present), doStop, messages.VMStopping},
		{"idle stop runs, start comes", up, held(facts{job: stopJob}), doNothing, messages.VMStopping},
		{"idle, absent, held, start comes", up, held(absent), doStart, messages.VMStarting},
		{"no EnsureVM yet", desiredState{}, facts{}, doNothing, messages.VMStopped},
		{"not inspected: up", up, facts{}, doInspect, messages.VMStarting},
		{"not inspected: down is not stopped yet", down, facts{}, doInspect, messages.VMStopping},
		{"inspection in flight", up, facts{job: inspectJob}, doNothing, messages.VMStarting},
		{"absent: start", up, absent, doStart, messages.VMStarting},
		{"absent: stay down", down, absent, doNothing, messages.VMStopped},
		{"present: adopt", up, present, doStart, messages.VMStarting},
		{"present: stop", down, present, doStop, messages.VMStopping},
		{"broken: recover", up, broken, doStart, messages.VMStarting},
		{"broken: stop", down, broken, doStop, messages.VMStopping},
		{"another engine is present: check", up, other, doCheck, messages.VMStarting},
		{"another engine is present: stop it first", up, checked(other, native, true), doStop, messages.VMStarting},
		{"another engine is present and cannot be replaced: adopt it", up, checked(other, native, false), doStart, messages.VMStarting},
		{"another driver is desired: stop the present one first", desiredState{true, true, remote, 0}, checked(present, remote, true), doStop, messages.VMStarting},
		{"the desired VM is present: adopt", desiredState{true, true, auto, 0}, machine, doStart, messages.VMStarting},
		{"another VM is present: stop it first", desiredState{true, true, twoCPUs(auto), 0}, checked(machine, twoCPUs(auto), true), doStop, messages.VMStarting},
		{"start runs", up, facts{job: startJob, jobFor: native}, doNothing, messages.VMStarting},
		{"start runs, stop comes", down, facts{job: startJob, jobFor: native}, doCancel, messages.VMStarting},
		{"start runs, another spec comes", desiredState{true, true, containerd, 0}, facts{job: startJob, jobFor: native}, doCancel, messages.VMStarting},
		{"start was cancelled", down, facts{job: startJob, jobFor: native, cancelled: true}, doNothing, messages.VMStopping},
		{"start was cancelled, start comes", up, facts{job: startJob, jobFor: native, cancelled: true}, doNothing, messages.VMStopping},
		{"stop runs", down, facts{job: stopJob}, doNothing, messages.VMStopping},
		{"stop runs, start comes", up, facts{job: stopJob}, doNothing, messages.VMStopping},
		{"runs as desired", up, attached, doNothing, messages.VMRunning},
		{"runs, satisfies auto", desiredState{true, true, auto, 0}, attached, doNothing, messages.VMRunning},
		{"runs, stop comes", down, attached, doStop, messages.VMRunning},
		{"runs, another engine is desired: check", desiredState{true, true, containerd, 0}, attached, doCheck, messages.VMRunning},
		{"runs, another engine is being checked", desiredState{true, true, containerd, 0}, facts{attached: true, attachedSpec: native, job: checkJob}, doNothing, messages.VMRunning},
		{"runs, another engine is desired, check passed", desiredState{true, true, containerd, 0}, checked(attached, containerd, true), doStop, messages.VMRunning},
		{"runs, another engine is desired, check failed: keep", desiredState{true, true, containerd, 0}, checked(attached, containerd, false), doNothing, messages.VMRunning},
		{"runs, another spec was checked", desiredState{true, true, containerd, 0}, checked(attached, remote, false), doCheck, messages.VMRunning},
		{"runs, a change was refused, stop comes", down, checked(attached, containerd, false), doStop, messages.VMRunning},
		{"failed and waits", up, facts{waiting: true}, doNothing, messages.VMFailed},
		{"a stop failed and waits", down, facts{waiting: true}, doNothing, messages.VMFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := next(test.desired, test.facts); got != test.want {
				t.Errorf("next = %d, want %d", got, test.want)
			}
			if got := stateOf(test.desired, test.facts, false); got != test.state {
				t.Errorf("state = %s, want %s", got, test.state)
			}
		})
	}
}

func TestHungEngineIsNotRunning(t *testing.T) {
	if got := stateOf(desiredState{known: true, running: true, spec: native}, facts{attached: true, attachedSpec: native}, true); got != messages.VMFailed {
		t.Errorf("state = %s, want %s", got, messages.VMFailed)
	}
}

func TestSatisfies(t *testing.T) {
	elsewhere := remote
	elsewhere.Endpoint = "unix:///b"
	tests := []struct {
		name       string
		want, have messages.VMSpec
		fits       bool
	}{
		{"the same", native, native, true},
		{"auto takes any driver", auto, native, true},
		{"an empty spec is auto and moby", messages.VMSpec{}, native, true},
		{"another driver", remote, native, false},
		{"another engine", containerd, native, false},
		{"another engine with auto", auto, containerd, false},
		{"another endpoint", elsewhere, remote, false},
		{"the same endpoint", remote, remote, true},
		{"native ignores the VM", twoCPUs(native), native, true},
		{"external ignores the VM", twoCPUs(remote), remote, true},
		{"the same VM", twoCPUs(lima), twoCPUs(lima), true},
		{"another VM", twoCPUs(lima), lima, false},
		{"another VM with auto", twoCPUs(auto), lima, false},
		{"auto takes the same VM", auto, lima, true},
		{"lima ignores the endpoint", messages.VMSpec{Endpoint: "unix:///a"}, lima, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := satisfies(test.want, test.have); got != test.fits {
				t.Errorf("fits = %v", got)
			}
		})
	}
}
