package native

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm/drivertest"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// slowBench returns a bench with a container that ends some time after its first
// stop signal. The engine has a second to stop, plus the stop timeouts.
func slowBench(t *testing.T, takes, stopTimeout time.Duration) *bench {
	t.Helper()
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.d.bounds.engine, b.d.bounds.slack = time.Second, 10*time.Second
	notes := filepath.Join(b.cfg.ShortDir, "notes")
	if err := os.Mkdir(notes, 0o700); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	b.runWith(t, "slow", map[string]any{
		"HostConfig": map[string]any{"Binds": []string{notes + ":" + inContainerDir}},
		"Env":        []string{inContainerEnv + "=" + takes.String()}, "StopTimeout": int(stopTimeout.Seconds()),
	})
	return b
}

// signals returns the number of stop signals that the container got, from its notes.
func (b *bench) signals(t *testing.T) (count int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(b.cfg.ShortDir, "notes", "signals"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Count(string(data), inContainerSignal)
}

// exitCode returns the exit code of the container, from dockerd's record.
func (b *bench) exitCode(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(b.docker().dataDir, "containers", "*", "config.v2.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("containers: %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var wire struct{ State struct{ ExitCode int } }
	if err := json.Unmarshal(data, &wire); err != nil {
		t.Fatal(err)
	}
	return wire.State.ExitCode
}

// F9: the engine may take as long as the stop timeouts of its containers.
func TestStopFollowsStopTimeout(t *testing.T) {
	b := slowBench(t, 3*time.Second, 20*time.Second)
	waits := ""
	note, err := b.d.Stop(t.Context(), func(text string) {
		if strings.Contains(text, "slow (pid ") {
			waits = text
		}
	})
	if err != nil || note != "" {
		t.Errorf("Stop = %q, %v", note, err)
	}
	if count, code := b.signals(t), b.exitCode(t); count != 1 || code != 0 {
		t.Errorf("the container got %d stop signals and ended with %d", count, code)
	}
	if waits == "" {
		t.Error("the progress does not name the container")
	}
}

// F9: a daemon ends during a stop, and the next one sends no second signal.
func TestSecondStopJoinsFirst(t *testing.T) {
	b := slowBench(t, 3*time.Second, 20*time.Second)
	b.beginStop(t)
	if _, err := New(b.cfg).Stop(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	if count, code := b.signals(t), b.exitCode(t); count != 1 || code != 0 {
		t.Errorf("the container got %d stop signals and ended with %d", count, code)
	}
}

// beginStop begins a stop of the engine, and cancels it while it waits for the
// container.
func (b *bench) beginStop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := b.d.Stop(ctx, func(text string) {
		if strings.Contains(text, "slow (pid ") && b.signals(t) > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Stop = %v", err)
	}
}

// F9: the containers of an engine that crashes during a stop already have their
// signal.
func TestStopAfterEngineCrashSendsNoSignal(t *testing.T) {
	b := slowBench(t, 3*time.Second, 20*time.Second)
	b.beginStop(t)
	b.killEngine(t)
	if _, err := New(b.cfg).Stop(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	if count := b.signals(t); count != 1 {
		t.Errorf("the container got %d stop signals", count)
	}
}

// Start does not adopt an engine that is being stopped.
func TestStartWaitsForStopInProgress(t *testing.T) {
	b := slowBench(t, 2*time.Second, 20*time.Second)
	first, _ := findEngine(b.docker(), state{})
	b.beginStop(t)
	b.start(t)
	if now, ok := findEngine(b.docker(), state{}); !ok || now.PID == first.PID {
		t.Errorf("the engine is pid %d, and was pid %d", now.PID, first.PID)
	}
	if s := load(b.d.paths.state); s.Stopping != nil {
		t.Errorf("the state still has a stop: %+v", s.Stopping)
	}
}

// A frozen engine is continued first, so that it stops its containers itself.
func TestStopFrozenEngineSendsOneSignal(t *testing.T) {
	b := slowBench(t, time.Second, 20*time.Second)
	p, _ := findEngine(b.docker(), state{})
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	b.stop(t)
	if count, code := b.signals(t), b.exitCode(t); count != 1 || code != 0 {
		t.Errorf("the container got %d stop signals and ended with %d", count, code)
	}
}

// F9, for containers without an engine.
func TestStopBrokenEngineFollowsStopTimeout(t *testing.T) {
	needRoot(t)
	b := slowBench(t, 2*time.Second, 20*time.Second)
	members := runningMembers(runningContainers(b.docker()), process.All())
	if len(members) != 1 {
		t.Fatalf("containers that run: %+v", members)
	}
	b.killEngine(t)
	began := time.Now()
	b.stop(t)
	if took := time.Since(began); took < 2*time.Second || !members[0].gone() {
		t.Errorf("the stop took %s, and the container has ended: %v", took, members[0].gone())
	}
}

// A second stop sends the engine no second signal while the first one is under way.
func TestSecondStopSendsNoSignal(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "signals")
	const script = `trap 'echo stop >> "$0"' TERM; trap 'echo end >> "$0"' WINCH; echo ready >> "$0"; while :; do sleep 0.02; done`
	cmd := exec.Command("/bin/sh", "-c", script, log)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	// The shell runs the trap of SIGTERM before that of SIGWINCH, which is the higher signal.
	waitFor := func(words string) {
		t.Helper()
		testkit.Eventually(t, 10*time.Second, "the signals", func() error {
			content, err := os.ReadFile(log)
			if err == nil && string(content) != words {
				return fmt.Errorf("got %q, want %q", content, words)
			}
			return err
		})
	}
	waitFor("ready\n")
	p, ok := process.Find(cmd.Process.Pid)
	if !ok {
		t.Fatal("the process has ended")
	}
	d := New(Config{Dir: dir, ShortDir: dir, Socket: filepath.Join(dir, "s"), LogDir: dir, InstanceName: "test", Logger: drivertest.Logger(t)})
	k, err := d.kind(appv1.EngineContainerd)
	if err := errors.Join(err, os.MkdirAll(d.paths.engineDir, 0o700)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := d.requestStop(t.Context(), k, p); err != nil {
			t.Fatal(err)
		}
		waitFor("ready\nstop\n")
	}
	if err := p.Signal(syscall.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	waitFor("ready\nstop\nend\n")
}
