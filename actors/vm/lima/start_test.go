package lima

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

func TestStartReportsEachPhaseOnce(t *testing.T) {
	b := newBench(t, behaves)
	if endpoint := b.start(); endpoint != "unix://"+b.cfg.Socket {
		t.Errorf("endpoint = %s", endpoint)
	}
	if b.reported[0] != "starting the host agent" {
		t.Errorf("reported %q", b.reported)
	}
	for i, text := range b.reported {
		if slices.Contains(b.reported[:i], text) {
			t.Errorf("reported twice: %q", text)
		}
	}
	if note, err := b.Ping(t.Context(), "unix://"+b.cfg.Socket); note != "" || err != nil {
		t.Errorf("Ping = %q, %v", note, err)
	}
	seen := b.expect(vm.Present)
	if seen.Spec != someSpec() {
		t.Errorf("spec = %+v, want %+v", seen.Spec, someSpec())
	}
	if note := b.stop(); note != "" {
		t.Errorf("note of a clean stop: %s", note)
	}
	b.expect(vm.Absent)
	if left := b.processes(); len(left) > 0 {
		t.Errorf("left after a stop: %v", left)
	}
	for _, path := range []string{b.cfg.Socket, b.paths.Socket(), b.paths.PidFile(), b.paths.MachinePidFile(), b.paths.QMP()} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("left after a stop: %s", path)
		}
	}
}

func TestPhaseTextHasTimes(t *testing.T) {
	s := limahost.Status{Phase: limahost.PhaseBoot, Phases: []limahost.PhaseTime{
		{Phase: limahost.PhaseImage, Took: 120 * time.Millisecond}, {Phase: limahost.PhaseDisk, Took: 180 * time.Millisecond}}}
	if text := phaseText(s); text != "booting the guest (image 0.1s, disk 0.2s)" {
		t.Error(text)
	}
	if text := phaseText(limahost.Status{Phase: limahost.PhaseImage}); text != "finding the guest's image" {
		t.Error(text)
	}
}

func TestStartAdoptsRunningAgent(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	agent, machine := b.theAgent(), b.theMachine()
	b.reported = nil
	b.Driver = b.another()
	b.start()
	if b.theAgent().PID != agent.PID || b.theMachine().PID != machine.PID {
		t.Error("a VM that ran was not adopted")
	}
	if !strings.HasPrefix(b.reported[0], "adopting the VM") {
		t.Errorf("reported %q", b.reported)
	}
}

func TestStartRefusesAnotherSpec(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	for what, change := range map[string]func(*limahost.Spec){
		"cpus":    func(s *limahost.Spec) { s.CPUs++ },
		"restart": func(s *limahost.Spec) { s.Restart = "now" },
		"engine":  func(s *limahost.Spec) { s.Engine = "containerd" },
	} {
		spec := hostSpec(someSpec())
		change(&spec)
		if _, err := b.Start(t.Context(), vmSpec(spec), b.progress); err == nil || !strings.Contains(err.Error(), "different spec is running") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestStartErrorHasReason(t *testing.T) {
	for mode, want := range map[string]string{
		fails:   "No init found",
		crashes: "out of luck",
	} {
		b := newBench(t, mode)
		if _, err := b.tryStart(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", mode, err)
		}
		b.expect(vm.Absent)
	}
}

func TestCancelledStartCanBeAdopted(t *testing.T) {
	b := newBench(t, stuck)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := b.Start(ctx, someSpec(), func(text string) {
		if strings.HasPrefix(text, "booting") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Start = %v", err)
	}
	if seen := b.expect(vm.Present); seen.Spec != someSpec() {
		t.Errorf("spec = %+v", seen.Spec)
	}
	agent := b.theAgent()
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := b.Start(ctx, someSpec(), b.progress); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start = %v", err)
	}
	if b.theAgent().PID != agent.PID {
		t.Error("an agent that was starting was not adopted")
	}
	b.stop()
	b.expect(vm.Absent)
}

func TestStartCancelledEarlyLeavesNothing(t *testing.T) {
	b := newBench(t, neverUp)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.Start(ctx, someSpec(), b.progress); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start = %v", err)
	}
	for _, p := range b.processes() {
		if err := p.WaitFor(t.Context(), 5*time.Second); err != nil {
			t.Errorf("left: %v", p.Args())
		}
	}
	b.limits.lock = 300 * time.Millisecond
	if _, err := b.tryStart(); err == nil || !strings.Contains(err.Error(), "was killed") || !strings.Contains(err.Error(), "the agent starts") {
		t.Errorf("Start = %v", err)
	}
}

func TestStartReplacesHungAgent(t *testing.T) {
	b := newBench(t, stuck)
	hung := make(chan process.Process, 1)
	_, err := b.Start(t.Context(), someSpec(), func(text string) {
		if strings.HasPrefix(text, "booting") {
			agent := b.theAgent()
			_ = agent.Signal(syscall.SIGSTOP)
			hung <- agent
		}
	})
	if err == nil || !strings.Contains(err.Error(), "has not answered for") {
		t.Errorf("Start = %v", err)
	}
	agent := <-hung
	b.cfg.Program[2] = behaves
	b.start()
	if agent.Alive() {
		t.Error("the agent that hangs still runs")
	}
}

// A VM that hangs or sleeps when the daemon starts is adopted soon. The health checks
// report its trouble.
func TestStartAdoptsVMInTrouble(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	for path, text := range map[string]string{troubleFile(b.paths): "QEMU is stopped", b.cfg.Socket: ""} {
		if err := removeFile(path); err != nil {
			t.Fatal(err)
		}
		if text == "" {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.reported = nil
	b.Driver = b.another()
	b.limits.adopt = 200 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	endpoint, err := b.Start(ctx, someSpec(), b.progress)
	if err != nil || endpoint != "unix://"+b.cfg.Socket {
		t.Errorf("Start = %q, %v", endpoint, err)
	}
	if texts := strings.Join(b.reported, "\n"); !strings.HasSuffix(texts, "\nQEMU is stopped") {
		t.Errorf("reported %q", texts)
	}
	if _, err := b.Ping(t.Context(), endpoint); err == nil || !strings.Contains(err.Error(), "QEMU is stopped") {
		t.Errorf("Ping = %v", err)
	}
}
