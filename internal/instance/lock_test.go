package instance

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// envHold makes the test binary a process that locks the named pid file.
const envHold = "RDD_TEST_HOLD"

func TestMain(m *testing.M) {
	if file := os.Getenv(envHold); file != "" {
		hold(file)
	}
	os.Exit(m.Run())
}

func hold(file string) {
	lock, err := Lock(file)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	// The read ends when the parent closes the pipe.
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	if err := lock.Release(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// holder starts a process that locks file. release ends it cleanly.
func holder(t *testing.T, file string) (process *os.Process, release func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envHold+"="+file)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	release = func() {
		once.Do(func() {
			_ = in.Close()
			_ = cmd.Process.Signal(syscall.SIGCONT)
			_ = cmd.Wait()
		})
	}
	t.Cleanup(release)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder printed %q: %v", line, err)
	}
	return cmd.Process, release
}

func expectRunning(t *testing.T, file string, want int) {
	t.Helper()
	pid, running, err := Running(file)
	if err != nil {
		t.Fatal(err)
	}
	if pid != want || running != (want != 0) {
		t.Errorf("running %v with pid %d, want %d", running, pid, want)
	}
}

// Row E6: a second daemon of an instance is refused.
func TestLockRefusesSecondDaemon(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	expectRunning(t, file, 0)
	first, release := holder(t, file)
	expectRunning(t, file, first.Pid)
	var running *RunningError
	if _, err := Lock(file); !errors.As(err, &running) || running.PID != first.Pid {
		t.Errorf("second lock: %v, want pid %d", err, first.Pid)
	}
	release()
	expectRunning(t, file, 0)
	if _, err := os.Stat(file); err == nil {
		t.Error("the pid file still exists after a release")
	}
	lock, err := Lock(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// Row E6: a reused pid does not count as a daemon.
func TestRunningIgnoresReusedPid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	// This process is running, and is not a daemon.
	if err := os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		t.Fatal(err)
	}
	expectRunning(t, file, 0)
	lock, err := Lock(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

// Row E4: a killed daemon releases the lock.
func TestKilledDaemonReleasesLock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	process, release := holder(t, file)
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	release()
	expectRunning(t, file, 0)
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the pid file of a killed process is missing: %v", err)
	}
	next, _ := holder(t, file)
	expectRunning(t, file, next.Pid)
}

// Row S5: a hung daemon is running.
func TestRunningReportsHungDaemon(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	process, _ := holder(t, file)
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	expectRunning(t, file, process.Pid)
}

// Running must not fail the start of a daemon: 'svc start' calls it every few
// milliseconds while the daemon that it started locks the file.
func TestRunningDoesNotFailLock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	done := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_, _, _ = Running(file)
				}
			}
		})
	}
	for range 100 {
		lock, err := Lock(file)
		if err != nil {
			t.Error(err)
			break
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}
	close(done)
	callers.Wait()
}

func TestConcurrentLockHasOneHolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	const rounds, contenders = 20, 4
	for range rounds {
		var group sync.WaitGroup
		locks := make(chan *PidLock, contenders)
		for range contenders {
			group.Go(func() {
				if lock, err := Lock(file); err == nil {
					locks <- lock
				}
			})
		}
		group.Wait()
		close(locks)
		held := 0
		for lock := range locks {
			held++
			if err := lock.Release(); err != nil {
				t.Error(err)
			}
		}
		if held != 1 {
			t.Fatalf("%d of %d hold the lock", held, contenders)
		}
	}
}

// A daemon opens the pid file, and locks it when the one that removed it has ended. A third
// daemon would lock a new file.
func TestLockOfRemovedFileIsNotHeld(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	first, err := Lock(file)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if second, err := lockOpened(opened, file); err != nil || second != nil {
		t.Errorf("a lock of the removed file is %v, %v; want none", second, err)
	}
}
