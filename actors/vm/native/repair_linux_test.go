package native

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// The socket of a running engine is removed or replaced.
func TestRepairKeepsContainers(t *testing.T) {
	needRoot(t)
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	pid := b.run(t, nil)
	before, _ := process.Find(pid)
	for name, spoil := range map[string]func(socket string) error{
		"removed":  os.Remove,
		"replaced": func(socket string) error { return errors.Join(os.Remove(socket), os.WriteFile(socket, nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := spoil(b.docker().socket); err != nil {
				t.Fatal(err)
			}
			if _, err := b.d.Ping(t.Context(), ""); !errors.Is(err, vm.ErrEndpointGone) {
				t.Fatalf("Ping = %v", err)
			}
			if err := b.d.Repair(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.start(t)
			if _, err := b.d.Ping(t.Context(), ""); err != nil || !before.Alive() {
				t.Errorf("Ping = %v, and the container runs: %v", err, before.Alive())
			}
		})
	}
	t.Run("removed before the engine is adopted", func(t *testing.T) {
		if err := os.Remove(b.docker().socket); err != nil {
			t.Fatal(err)
		}
		b.start(t)
		if _, err := b.d.Ping(t.Context(), ""); err != nil || !before.Alive() {
			t.Errorf("Ping = %v, and the container runs: %v", err, before.Alive())
		}
	})
	if err := writeSettings(b.docker(), launcher{}, dockerNetwork{}, false); err != nil {
		t.Fatal(err)
	}
	if err := b.d.Repair(t.Context()); !vm.IsPermanent(err) || !before.Alive() {
		t.Errorf("Repair with live-restore off = %v, and the container runs: %v", err, before.Alive())
	}
}

// The daemon was killed after it had turned live-restore off, and before it stopped the
// engine.
func TestAdoptionTurnsLiveRestoreOn(t *testing.T) {
	needRoot(t)
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	pid := b.run(t, nil)
	k, engine, _ := b.d.findRunning()
	if !b.d.disableLiveRestore(t.Context(), k, engine) {
		t.Fatal("live-restore stays on")
	}
	b.start(t)
	if err := engine.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := engine.WaitFor(t.Context(), 30*time.Second); err != nil {
		t.Fatal(err)
	}
	if _, alive := process.Find(pid); !alive {
		t.Error("the container ended with the engine")
	}
	b.start(t)
	b.stop(t)
}

// F9: the daemon that began a stop has ended, and so has the deadline of the stop.
func TestStartKillsEngineAfterStopDeadline(t *testing.T) {
	needRoot(t)
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	k, engine, _ := b.d.findRunning()
	if err := innermost(k, engine).Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	b.d.recordStop(load(b.d.paths.state), stopping{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(-time.Minute)})
	b.start(t)
	if _, err := b.d.Ping(t.Context(), ""); err != nil || engine.Alive() {
		t.Errorf("Ping = %v, and the former engine runs: %v", err, engine.Alive())
	}
}

// F10, with the real program.
func TestStartWithUnknownFlagIsPermanent(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.d.getenv = func(name string) string {
		if name == "RDD_DOCKERD_ARGS" {
			return "--nope"
		}
		return os.Getenv(name)
	}
	begun := time.Now()
	_, err := b.d.Start(t.Context(), messages.VMSpec{Engine: appv1.EngineMoby}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "--nope") || !vm.IsPermanent(err) {
		t.Errorf("Start = %v after %s", err, time.Since(begun))
	}
}

func TestLastStart(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "",
		"old words\n":                         "old words\n",
		"old\nrdd starts dockerd at 1\nnew\n": "new\n",
		"rdd starts a\nx\nrdd starts b\n":     "",
	} {
		if got := lastStart(text); got != want {
			t.Errorf("lastStart(%q) = %q, want %q", text, got, want)
		}
	}
}
