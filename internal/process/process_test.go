package process

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// envIdle makes the test binary a process that ends when its input ends.
const envIdle = "RDD_TEST_IDLE"

func TestMain(m *testing.M) {
	if os.Getenv(envFiles) != "" {
		line := "none"
		if found := inherited(); len(found) > 0 {
			line = strings.Join(found, " ")
		}
		_, _ = os.Stdout.WriteString(line + "\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	if os.Getenv(envIdle) != "" {
		_, _ = os.Stdout.WriteString("up\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// idle starts a process that does nothing, with the given arguments.
func idle(t *testing.T, args ...string) (*exec.Cmd, Process) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = []string{envIdle + "=1"}
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
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p, ok := Find(cmd.Process.Pid)
	if !ok {
		t.Fatal("Find does not find a running process")
	}
	return cmd, p
}

func TestZombieNotAlive(t *testing.T) {
	cmd, p := idle(t)
	if !p.Alive() || p.Parent != os.Getpid() {
		t.Errorf("a running child is %+v, alive %v", p, p.Alive())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The test waits for the child only at its end, so the child becomes a zombie.
	if err := p.WaitFor(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if p.Alive() {
		t.Error("a zombie is alive")
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("a signal to a process that has ended: %v", err)
	}
}

func TestRecycledPIDNotAlive(t *testing.T) {
	_, running := idle(t)
	p := running
	p.Start++
	if p.Alive() {
		t.Error("a process with another start time is reported as alive")
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	// A killed process takes a moment to end.
	if err := running.WaitFor(t.Context(), 100*time.Millisecond); err == nil {
		t.Error("the wrong process was killed")
	}
	if err := p.Wait(t.Context()); err != nil {
		t.Errorf("wait for a process that has ended: %v", err)
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	_, p := idle(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait = %v", err)
	}
}

func TestFindAllAndArgs(t *testing.T) {
	_, p := idle(t, "one", "", "two words")
	if args := p.Args(); !slices.Equal(args[1:], []string{"one", "", "two words"}) {
		t.Errorf("arguments = %q", args)
	}
	if !slices.Contains(All(), p) {
		t.Error("All does not contain a running process")
	}
	if _, ok := Find(0); ok {
		t.Error("Find found a process 0")
	}
}
