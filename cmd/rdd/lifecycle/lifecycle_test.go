package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestStartAndStop(t *testing.T) {
	f := newFixture(t, behaves)
	pid := f.start(t)
	status, err := f.Status(t.Context())
	if err != nil || status.State != StateRunning || status.PID != pid || status.Version != "v1" {
		t.Errorf("%+v, %v", status, err)
	}
	if args, err := f.Instance.LoadArgs(); err != nil || args.Port != 1 {
		t.Errorf("kept arguments: %+v, %v", args, err)
	}
	if _, started, err := f.Start(t.Context(), instance.Args{}); started || err != nil {
		t.Errorf("second start: %v, %v", started, err)
	}
	if ran, err := f.Stop(t.Context(), StopOptions{Timeout: 10 * time.Second}); !ran || err != nil {
		t.Errorf("ran %v, %v", ran, err)
	}
	if f.pid(t) != 0 {
		t.Error("the daemon is still there")
	}
	if !strings.Contains(f.log(t), "shutdown keepVM=false") {
		t.Errorf("requests to the daemon: %s", f.log(t))
	}
	if f.engine.stops != 1 || f.reported("left running") {
		t.Errorf("Stop of the engine was called %d times; %q", f.engine.stops, f.reports)
	}
}

// E4: a daemon accepts the shutdown request, and is killed before its engine has
// stopped. Stop must not report success while the engine keeps running.
func TestEngineOfDaemonKilledInShutdownIsStopped(t *testing.T) {
	f := newFixture(t, crashes)
	for _, failure := range []error{nil, errors.New("dockerd survives")} {
		f.start(t)
		f.engine.stops, f.engine.err = 0, failure
		f.engine.onStop = func() {
			if _, err := instance.Lock(f.Instance.PidFile); err == nil {
				t.Error("another daemon could adopt the engine while it is being stopped")
			}
		}
		ran, err := f.Stop(t.Context(), StopOptions{Timeout: 10 * time.Second})
		if !ran || !errors.Is(err, failure) {
			t.Errorf("ran %v, %v, want %v", ran, err, failure)
		}
		if f.engine.stops != 1 || f.pid(t) != 0 {
			t.Errorf("stops %d, pid %d", f.engine.stops, f.pid(t))
		}
	}
}

func TestStopPassesKeepVMToDaemon(t *testing.T) {
	f := newFixture(t, behaves)
	f.start(t)
	if _, err := f.Stop(t.Context(), StopOptions{KeepEngine: true, Timeout: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.log(t), "shutdown keepVM=true") || f.engine.stops != 0 {
		t.Errorf("log %q, stops %d", f.log(t), f.engine.stops)
	}
}

func TestStartShowsLogOfDeadDaemon(t *testing.T) {
	f := newFixture(t, dies)
	_, _, err := f.Start(t.Context(), instance.Args{})
	if _, ok := errors.AsType[*DiedError](err); !ok {
		t.Fatal(err)
	}
	for _, want := range []string{"exit status 1", "the disk is full", "daemon: cannot continue", f.Log()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	_, _, err = f.Start(t.Context(), instance.Args{})
	if strings.Count(err.Error(), "the disk is full") != 1 {
		t.Errorf("the error has the log of an earlier daemon: %v", err)
	}
}

func TestStartEndsAtDeadline(t *testing.T) {
	f := newFixture(t, neverReady)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // the daemon takes its lock within it
	defer cancel()
	_, _, err := f.Start(ctx, instance.Args{})
	if _, ok := errors.AsType[*NotReadyError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("pid %d", f.pid(t)); !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not say %q", err, want)
	}
	status, err := f.Status(t.Context())
	if err != nil || status.State != StateStarting {
		t.Errorf("%+v, %v", status, err)
	}
}

// E6: only one daemon runs for an instance.
func TestParallelStartsMakeOneDaemon(t *testing.T) {
	f := newFixture(t, behaves)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, _, err := f.Start(t.Context(), instance.Args{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := strings.Count(f.log(t), "daemon starts"); got != 1 {
		t.Errorf("%d daemons", got)
	}
}

// A daemon that was just killed holds its lock until the kernel has removed it. A
// start at that moment succeeds.
func TestStartDuringEndOfKilledDaemon(t *testing.T) {
	f := newFixture(t, behaves)
	if err := f.Create(); err != nil {
		t.Fatal(err)
	}
	dying, err := instance.Lock(f.Instance.PidFile)
	if err != nil {
		t.Fatal(err)
	}
	var die sync.Once
	f.Report = func(text string) {
		if strings.HasPrefix(text, "waiting") {
			die.Do(func() { _ = dying.Release() })
		}
	}
	if _, started, err := f.Start(t.Context(), instance.Args{}); !started || err != nil {
		t.Errorf("started %v, %v", started, err)
	}
}

// S5: the daemon hangs.
func TestHungDaemonIsReportedAndStopped(t *testing.T) {
	f := newFixture(t, behaves)
	pid := f.start(t)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	status, err := Status{}, error(nil) // the process can answer for a moment after the signal
	for until := time.Now().Add(30 * time.Second); status.State != StateHung && time.Now().Before(until); {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		status, err = f.Status(ctx)
		cancel()
	}
	if err != nil || status.State != StateHung || status.PID != pid {
		t.Errorf("%+v, %v", status, err)
	}
	if ran, err := f.Stop(t.Context(), StopOptions{Timeout: 10 * time.Second}); !ran || err != nil {
		t.Errorf("ran %v, %v", ran, err)
	}
	if f.pid(t) != 0 || !f.reported("does not answer") {
		t.Errorf("the daemon still runs, or the hang was not reported: %q", f.reports)
	}
	if f.engine.stops != 1 {
		t.Errorf("the engine was stopped %d times", f.engine.stops)
	}
}

func TestHungDaemonIsKilledWithoutEngine(t *testing.T) {
	f := newFixture(t, behaves)
	pid := f.start(t)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Stop(t.Context(), StopOptions{KeepEngine: true, Timeout: 10 * time.Second}); err != nil {
		t.Error(err)
	}
	if strings.Contains(f.log(t), "SIGTERM") || f.engine.stops != 0 || f.pid(t) != 0 {
		t.Errorf("log %q, stops %d, pid %d", f.log(t), f.engine.stops, f.pid(t))
	}
}

func TestDaemonIgnoringShutdownIsKilled(t *testing.T) {
	f := newFixture(t, ignores)
	f.start(t)
	if _, err := f.Stop(t.Context(), StopOptions{Timeout: 200 * time.Millisecond}); err != nil {
		t.Error(err)
	}
	if f.pid(t) != 0 || f.engine.stops != 1 || !f.reported("did not end within 200ms") {
		t.Errorf("pid %d, stops %d, %q", f.pid(t), f.engine.stops, f.reports)
	}
}

// E4: the daemon was killed, and the engine keeps running.
func TestEngineOfKilledDaemonIsStopped(t *testing.T) {
	f := newFixture(t, behaves)
	if err := syscall.Kill(f.start(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := f.gone(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ran, err := f.Stop(t.Context(), StopOptions{KeepEngine: true}); ran || err != nil || f.engine.stops != 0 {
		t.Errorf("with KeepEngine: ran %v, %v, stops %d", ran, err, f.engine.stops)
	}
	if ran, err := f.Stop(t.Context(), StopOptions{}); ran || err != nil || f.engine.stops != 1 {
		t.Errorf("ran %v, %v, stops %d", ran, err, f.engine.stops)
	}
}

// Parallel stops all succeed, and stop the engine one after the other. A command that
// stops the engine is not taken for a daemon.
func TestParallelStopsWaitForEachOther(t *testing.T) {
	f := newFixture(t, behaves)
	f.start(t)
	stopping := make(chan struct{})
	proceed := make(chan struct{})
	f.engine.onStop = sync.OnceFunc(func() {
		close(stopping)
		<-proceed
	})
	ended := make(chan error, 2)
	stop := func() {
		_, err := f.Stop(t.Context(), StopOptions{Timeout: 10 * time.Second})
		ended <- err
	}
	go stop()
	select {
	case <-stopping:
	case err := <-ended:
		t.Fatalf("the engine was not stopped: %v", err)
	}
	if status, err := f.Status(t.Context()); err != nil || status.State != StateStopped || !strings.Contains(status.Doing, "stopping the engine") {
		t.Errorf("status during the stop: %+v, %v", status, err)
	}
	if _, err := f.Stop(t.Context(), StopOptions{Timeout: time.Millisecond}); err == nil || !strings.Contains(err.Error(), "stopping the engine since") {
		t.Errorf("stop with a short timeout: %v", err)
	}
	go stop()
	testkit.EventuallyTrue(t, 10*time.Second, "the second stop waits", func() bool { return f.reported("waiting for another command") })
	close(proceed)
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if f.engine.stops != 2 || f.pid(t) != 0 {
		t.Errorf("stops %d, pid %d", f.engine.stops, f.pid(t))
	}
}

// Each of these stops is another process, and holds the lock for a while.
func TestParallelStopsOfManyProcesses(t *testing.T) {
	f := newFixture(t, behaves)
	f.start(t)
	var waits []func()
	for range 3 {
		waits = append(waits, another(t, stopper))
	}
	for _, wait := range waits {
		wait()
	}
	if pid := f.pid(t); pid != 0 {
		t.Errorf("process %d holds the instance", pid)
	}
}

// A stop gets the lock before the new daemon, which ends. When the stop has ended,
// Start starts another daemon.
func TestStartDuringStopSucceeds(t *testing.T) {
	f := newFixture(t, late)
	wait := func() {}
	var once sync.Once
	f.Report = func(text string) {
		if strings.HasPrefix(text, "starting") {
			once.Do(func() { wait = another(t, stopper) })
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, started, err := f.Start(ctx, instance.Args{}); !started || err != nil {
		t.Errorf("started %v, %v", started, err)
	}
	wait()
}

func TestWithInstanceLockFailsIfDaemonRuns(t *testing.T) {
	f := newFixture(t, behaves)
	pid := f.start(t)
	err := f.withInstanceLock(t.Context(), time.Minute, "testing", func() error {
		t.Error("the function was called")
		return nil
	})
	if running, ok := errors.AsType[*instance.RunningError](err); !ok || running.PID != pid {
		t.Errorf("withInstanceLock: %v", err)
	}
}

func TestDeleteRemovesEverything(t *testing.T) {
	f := newFixture(t, behaves)
	if _, err := f.Delete(t.Context(), time.Second); err != nil {
		t.Errorf("without an instance: %v", err)
	}
	f.start(t)
	f.engine.err = errors.New("a container cannot be removed")
	if _, err := f.Delete(t.Context(), 10*time.Second); err == nil {
		t.Error("Delete ignores an error of the engine")
	}
	if !f.Instance.Exists() {
		t.Error("the files were removed before the engine")
	}
	f.engine.err = nil
	for range 2 {
		if _, err := f.Delete(t.Context(), 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(f.Instance.Dir); err == nil {
		t.Error("the directory still exists")
	}
}

func TestResetKeepsArguments(t *testing.T) {
	f := newFixture(t, behaves)
	f.start(t)
	ran, err := f.Reset(t.Context(), 10*time.Second)
	if !ran || err != nil {
		t.Fatalf("ran %v, %v", ran, err)
	}
	if args, err := f.Instance.LoadArgs(); err != nil || args.Port != 1 {
		t.Errorf("%+v, %v", args, err)
	}
	if f.engine.deletes != 1 || f.pid(t) != 0 {
		t.Errorf("deletes %d, pid %d", f.engine.deletes, f.pid(t))
	}
}

// A pid file that another program has locked can name any process.
func TestStopSignalsOnlyDaemons(t *testing.T) {
	f := newFixture(t, behaves)
	if err := f.Instance.Create(); err != nil {
		t.Fatal(err)
	}
	bystander := exec.Command("sleep", "60")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = bystander.Process.Kill()
		_ = bystander.Wait()
	}()
	lock, err := instance.Lock(f.Instance.PidFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	text := []byte(strconv.Itoa(bystander.Process.Pid) + "\n")
	if err := os.WriteFile(f.Instance.PidFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = f.Stop(t.Context(), StopOptions{Timeout: time.Second})
	if err == nil || !strings.Contains(err.Error(), "not a daemon of this instance") {
		t.Errorf("stop: %v", err)
	}
	if p, alive := process.Find(bystander.Process.Pid); !alive {
		t.Errorf("%+v was killed", p)
	}
}

// A daemon ends before the shutdown request, and another stop gets its lock.
func TestShutDownAcceptsLockOfOtherProcess(t *testing.T) {
	f := newFixture(t, behaves)
	pid := f.start(t)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := f.gone(t.Context()); err != nil {
		t.Fatal(err)
	}
	lock, err := instance.Lock(f.Instance.PidFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	if _, err := f.shutDown(t.Context(), pid, StopOptions{Timeout: time.Second}); err != nil {
		t.Errorf("the daemon has ended, but: %v", err)
	}
}
