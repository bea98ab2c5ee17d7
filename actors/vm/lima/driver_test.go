package lima

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/vmhost"
)

func TestStartTellsPhases(t *testing.T) {
	b := newBench(t, behaves)
	if endpoint := b.start(); endpoint != "unix://"+b.cfg.Socket {
		t.Errorf("endpoint = %s", endpoint)
	}
	if b.told[0] != "starting the host agent" {
		t.Errorf("told %q", b.told)
	}
	for i, text := range b.told {
		if slices.Contains(b.told[:i], text) {
			t.Errorf("told twice: %q", text)
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

func TestPhaseTexts(t *testing.T) {
	s := vmhost.Status{Phase: vmhost.PhaseBoot, Phases: []vmhost.PhaseTime{
		{Phase: vmhost.PhaseImage, Took: 120 * time.Millisecond}, {Phase: vmhost.PhaseDisk, Took: 180 * time.Millisecond}}}
	if text := phaseText(s); text != "booting the guest (image 0.1s, disk 0.2s)" {
		t.Error(text)
	}
	if text := phaseText(vmhost.Status{Phase: vmhost.PhaseImage}); text != "finding the guest's image" {
		t.Error(text)
	}
}

func TestAdoptsALivingAgent(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	agent, machine := b.theAgent(), b.theMachine()
	b.told = nil
	b.Driver = b.another()
	b.start()
	if b.theAgent().PID != agent.PID || b.theMachine().PID != machine.PID {
		t.Error("a VM that ran was not adopted")
	}
	if !strings.HasPrefix(b.told[0], "adopting the VM") {
		t.Errorf("told %q", b.told)
	}
}

func TestAnotherSpecIsRefused(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	for what, change := range map[string]func(*vmhost.Spec){
		"cpus":    func(s *vmhost.Spec) { s.CPUs++ },
		"restart": func(s *vmhost.Spec) { s.Restart = "now" },
		"engine":  func(s *vmhost.Spec) { s.Engine = "containerd" },
	} {
		spec := hostSpec(someSpec())
		change(&spec)
		if _, err := b.Start(t.Context(), vmSpec(spec), b.progress); err == nil || !strings.Contains(err.Error(), "must be stopped before") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestKilledAgentIsReplacedAndTheMachineGoesOn(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	machine, ended := b.theMachine(), b.wait()
	b.end(b.theAgent())
	if err := b.receive(ended); err == nil || !strings.Contains(err.Error(), "another agent takes it over") {
		t.Errorf("Wait = %v", err)
	}
	if seen := b.expect(vm.Broken); seen.Spec != someSpec() {
		t.Errorf("spec = %+v, want %+v", seen.Spec, someSpec())
	}
	if _, err := b.Ping(t.Context(), "unix://"+b.cfg.Socket); err == nil || !strings.Contains(err.Error(), "host agent is gone") {
		t.Errorf("Ping = %v", err)
	}
	b.start()
	b.expect(vm.Present)
	if b.theMachine().PID != machine.PID {
		t.Error("the machine was restarted")
	}
}

func TestMachineWithoutAgentIsPoweredDown(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	machine := b.theMachine()
	b.end(b.theAgent())
	// As when QEMU has not written it yet.
	if err := removeFile(b.paths.MachinePidFile()); err != nil {
		t.Fatal(err)
	}
	b.expect(vm.Broken)
	if note := b.stop(); note != "" {
		t.Errorf("note = %s", note)
	}
	if machine.Alive() {
		t.Error("the machine lives")
	}
	b.expect(vm.Absent)
}

func TestKilledMachineIsToldWithItsConsole(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	ended := b.wait()
	b.end(b.theMachine())
	if err := b.receive(ended); err == nil || !strings.Contains(err.Error(), "Kernel panic") {
		t.Errorf("Wait = %v", err)
	}
	b.expect(vm.Absent)
	b.start()
}

func TestMachineGoneUnderAStoppedAgent(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	agent, ended := b.theAgent(), b.wait()
	if err := agent.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	b.end(b.theMachine())
	if err := b.receive(ended); err == nil || !strings.Contains(err.Error(), "hangs") {
		t.Errorf("Wait = %v", err)
	}
	b.expect(vm.Broken)
	b.start()
	if agent.Alive() {
		t.Error("the agent that hangs was not replaced")
	}
	b.expect(vm.Present)
}

func TestStoppedAgentIsToldAndStopsCleanly(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	if err := b.theAgent().Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// Stopping takes a moment, in which it may still answer.
	var err error
	for try := 0; err == nil && try < 10; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err = b.Ping(ctx, "unix://"+b.cfg.Socket)
		cancel()
	}
	if err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("Ping = %v", err)
	}
	if note := b.stop(); note != "" {
		t.Errorf("note = %s", note)
	}
	b.expect(vm.Absent)
}

func TestDeafAgentIsKilledAndTheMachinePoweredDown(t *testing.T) {
	b := newBench(t, deaf)
	b.start()
	machine := b.theMachine()
	if note := b.stop(); !strings.Contains(note, "was killed") || strings.Contains(note, "force") {
		t.Errorf("note = %q", note)
	}
	if machine.Alive() {
		t.Error("the machine lives")
	}
}

func TestTroubleIsANoteOrTheReason(t *testing.T) {
	b := newBench(t, behaves)
	endpoint := b.start()
	if err := os.WriteFile(troubleFile(b.paths), []byte("the guest's disk is full"), 0o600); err != nil {
		t.Fatal(err)
	}
	if note, err := b.Ping(t.Context(), endpoint); note != "the guest's disk is full" || err != nil {
		t.Errorf("Ping = %q, %v", note, err)
	}
	if err := os.Remove(b.cfg.Socket); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Ping(t.Context(), endpoint); err == nil || !strings.HasPrefix(err.Error(), "the guest's disk is full: ") {
		t.Errorf("Ping = %v", err)
	}
}

func TestFailedStartSaysWhy(t *testing.T) {
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

func TestCancelledStartCanBeStoppedOrAdopted(t *testing.T) {
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

func TestStartCancelledBeforeTheLockLeavesNothing(t *testing.T) {
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

func TestAgentThatHangsInAStartIsReplacedByTheNext(t *testing.T) {
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
		t.Error("the agent that hangs lives")
	}
}

func TestBoundsOfAStart(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "own.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		image, env string
		want       time.Duration
	}{
		{home, "", builtImage + builtBoot},
		{filepath.Join(home, "own.yaml"), "", cloudImage + cloudBoot},
		{appv1.ImageCloud, "", cloudImage + cloudBoot},
		{"", "", cloudImage + cloudBoot},
		{home, "20s", builtImage + 20*time.Second},
		{home, "-20s", builtImage + builtBoot},
		{home, "soon", builtImage + builtBoot},
	} {
		d := New(Config{Home: home, Program: []string{"/nowhere/rdd"}, Getenv: func(name string) string {
			return map[string]string{envBoot: test.env}[name]
		}})
		spec := someSpec()
		spec.VM.Image = test.image
		if got := d.StartWithin(spec); got != test.want {
			t.Errorf("image %q, %s=%q: %v, want %v", test.image, envBoot, test.env, got, test.want)
		}
	}
}

func TestAvailableNamesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	getenv := func(name string) string { return map[string]string{"PATH": dir}[name] }
	d := New(Config{Home: "/run/rdd", Socket: "/run/docker.sock", Program: []string{os.Args[0], "agent", behaves}, Getenv: getenv})
	_, err := d.Available(t.Context(), someSpec())
	for _, want := range []string{"qemu-img", "qemu-utils", "ssh-keygen", "openssh"} {
		if err == nil || runtime.GOOS == "linux" && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	for _, name := range []string{"ssh", "ssh-keygen", "qemu-img", machine().name} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho QEMU emulator version 7.2.22 '(Debian)'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	reason, err := d.Available(t.Context(), someSpec())
	if want := "QEMU 7.2.22 at " + filepath.Join(dir, machine().name) + ", image cloud (no image was built"; err != nil || !strings.HasPrefix(reason, want) {
		t.Errorf("%q, %v; want %q", reason, err, want)
	}
	spec := someSpec()
	spec.VM.Acceleration = appv1.AccelerationVZ
	if _, err := d.Available(t.Context(), spec); err == nil && !hasVZ {
		t.Error("vz is available")
	}
	spec = someSpec()
	spec.VM.CPUs = 0
	if _, err := d.Available(t.Context(), spec); err == nil || !strings.HasPrefix(err.Error(), "own.yaml:3: no") {
		t.Errorf("a spec that the agent refuses: %v", err)
	}
	d.cfg.Program = []string{"/nowhere/rdd"}
	if _, err := d.Available(t.Context(), someSpec()); err == nil || !strings.Contains(err.Error(), "/nowhere/rdd") {
		t.Errorf("an agent that cannot be run: %v", err)
	}
	d.cfg.Socket = "/run/" + strings.Repeat("x", 100)
	if _, err := d.Available(t.Context(), someSpec()); err == nil || !strings.Contains(err.Error(), "shorter instance name") {
		t.Errorf("a long path: %v", err)
	}
}

func TestMachineInTheAgentsProcess(t *testing.T) {
	b := newBench(t, machineIn)
	b.start()
	if seen := b.expect(vm.Present); !strings.Contains(seen.Detail, "inside") {
		t.Errorf("detail = %s", seen.Detail)
	}
	ended := b.wait()
	b.end(b.theAgent())
	if err := b.receive(ended); err == nil || !strings.Contains(err.Error(), "the VM is gone") {
		t.Errorf("Wait = %v", err)
	}
	b.expect(vm.Absent)
}

func TestStaleFilesAreNothing(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	b.stop()
	// A recycled pid, in both files, and another program with the name of the file.
	for _, path := range []string{b.paths.PidFile(), b.paths.MachinePidFile()} {
		if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.expect(vm.Absent)
	b.stop()
	if _, err := os.Stat(b.paths.PidFile()); err == nil {
		t.Error("a stale pid file is left")
	}
	if err := b.Wait(t.Context()); err == nil {
		t.Error("Wait for nothing returned nothing")
	}
}

func TestDeleteLeavesNothing(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	for range 2 {
		if err := b.Delete(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{b.cfg.Home, b.cfg.Socket, b.paths.AgentLog()} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("left: %s", path)
		}
	}
	if left := b.processes(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestStopLeavesAnothersSocket(t *testing.T) {
	b := newBench(t, behaves)
	if err := os.MkdirAll(filepath.Dir(b.cfg.Socket), 0o700); err != nil {
		t.Fatal(err)
	}
	other := &fakeAgent{}
	if err := other.serve(b.cfg.Socket, nil); err != nil {
		t.Fatal(err)
	}
	b.stop()
	if _, err := os.Stat(b.cfg.Socket); err != nil {
		t.Error("the socket of another driver's engine was removed")
	}
	if err := os.Remove(b.cfg.Socket); err != nil {
		t.Fatal(err)
	}
}
