package lima

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
)

func TestKilledAgentReplacedMachineKept(t *testing.T) {
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

func TestStopPowersDownWithoutAgent(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	machine := b.theMachine()
	b.end(b.theAgent())
	// QEMU may not have written its pid file yet.
	if err := removeFile(b.paths.MachinePidFile()); err != nil {
		t.Fatal(err)
	}
	b.expect(vm.Broken)
	if note := b.stop(); note != "" {
		t.Errorf("note = %s", note)
	}
	if machine.Alive() {
		t.Error("the machine still runs")
	}
	b.expect(vm.Absent)
}

func TestWaitReportsConsoleOfKilledMachine(t *testing.T) {
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

func TestWaitNoticesEndDespiteHungAgent(t *testing.T) {
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

func TestPingReportsStoppedAgent(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	if err := b.theAgent().Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// A process that is being stopped may still answer for a moment.
	var err error
	reported := func() bool { return err != nil && strings.Contains(err.Error(), "does not answer") }
	for try := 0; !reported() && try < 10; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err = b.Ping(ctx, "unix://"+b.cfg.Socket)
		cancel()
	}
	if !reported() {
		t.Errorf("Ping = %v", err)
	}
	if note := b.stop(); note != "" {
		t.Errorf("note = %s", note)
	}
	b.expect(vm.Absent)
}

func TestStopKillsAgentThatIgnoresSIGTERM(t *testing.T) {
	b := newBench(t, deaf)
	b.start()
	machine := b.theMachine()
	if note := b.stop(); !strings.Contains(note, "was killed") || strings.Contains(note, "force") {
		t.Errorf("note = %q", note)
	}
	if machine.Alive() {
		t.Error("the machine still runs")
	}
}

// Drivers may take 40 seconds, also when both agent and guest hang. Other tests, here
// and in package qemu, show that Stop observes its limits.
func TestStopLimitsStayBelow40Seconds(t *testing.T) {
	l := defaultLimits()
	if all := l.stop + qemu.ForceTimeout; all >= 40*time.Second {
		t.Errorf("a stop may take %v", all)
	}
	if hung := l.agentStop + l.killed; hung > l.stop-4*time.Second {
		t.Errorf("after an agent that hangs (%v) a guest gets less than 4s of %v", hung, l.stop)
	}
}

func TestPingReportsTroubleAsNoteOrError(t *testing.T) {
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

func TestMachineInsideAgentIsObserved(t *testing.T) {
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

func TestInspectIgnoresStaleFiles(t *testing.T) {
	b := newBench(t, behaves)
	b.start()
	b.stop()
	// Both files have a recycled pid.
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
		t.Error("Wait without a VM returned no error")
	}
}
