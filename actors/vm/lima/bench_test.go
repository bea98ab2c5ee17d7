package lima

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm/drivertest"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// bench is the VM of one instance in temporary directories.
type bench struct {
	*Driver
	t        *testing.T
	reported []string
	mu       sync.Mutex
}

// newBench returns a driver whose agents have a mode.
func newBench(t *testing.T, mode string) *bench {
	t.Helper()
	b := newBenchWith(t, []string{os.Args[0], "agent", mode})
	b.limits = limits{
		lock: 5 * time.Second, answer: 500 * time.Millisecond, silence: 2 * time.Second, exit: 500 * time.Millisecond,
		agentStop: time.Second, stop: 3 * time.Second, machineStop: 2 * time.Second, killed: 5 * time.Second,
	}
	return b
}

func newBenchWith(t *testing.T, program []string) *bench {
	t.Helper()
	// With the race detector each process takes a second to exit.
	t.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	short, err := os.MkdirTemp("", "rdd")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, Driver: New(Config{
		Home: filepath.Join(short, "lima"), LogDir: filepath.Join(short, "log"), Socket: filepath.Join(short, "docker.sock"),
		Program: program, Logger: drivertest.Logger(t),
	})}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		quiet := b.Driver.cfg
		quiet.Logger = nil
		d := New(quiet)
		d.limits = b.limits
		if err := d.Delete(ctx); err != nil {
			t.Errorf("clean up: %v", err)
		}
		if left := b.processes(); len(left) > 0 {
			t.Errorf("left after the clean-up: %v", left)
			for _, p := range left {
				_ = p.Signal(syscall.SIGKILL)
			}
		}
		if err := os.RemoveAll(short); err != nil {
			t.Error(err)
		}
	})
	return b
}

// another returns another driver of the same VM, like that of a restarted daemon.
func (b *bench) another() *Driver {
	d := New(b.cfg)
	d.limits = b.limits
	return d
}

// processes returns the processes with the VM's home in their arguments.
func (b *bench) processes() []process.Process {
	var found []process.Process
	for _, p := range process.All() {
		if strings.Contains(strings.Join(p.Args(), " "), b.cfg.Home) {
			found = append(found, p)
		}
	}
	return found
}

func someSpec() messages.VMSpec {
	return messages.VMSpec{
		Driver: appv1.DriverLima, Engine: appv1.EngineMoby,
		VM: messages.VMProperties{CPUs: 1, Memory: 1 << 30, Disk: 8 << 30, Acceleration: appv1.AccelerationTCG},
	}
}

func (b *bench) progress(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reported = append(b.reported, text)
}

func (b *bench) start() string {
	b.t.Helper()
	endpoint, err := b.tryStart()
	if err != nil {
		b.t.Fatalf("Start: %v", err)
	}
	return endpoint
}

func (b *bench) tryStart() (string, error) {
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	return b.Start(ctx, someSpec(), b.progress)
}

// stop stops the VM and returns the note.
func (b *bench) stop() string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	note, err := b.Stop(ctx, func(string) {})
	if err != nil {
		b.t.Fatalf("Stop: %v", err)
	}
	return note
}

func (b *bench) expect(want vm.Presence) vm.Observed {
	b.t.Helper()
	seen, err := b.Inspect(b.t.Context())
	if err != nil || seen.Presence != want {
		b.t.Errorf("Inspect = %+v, %v; want %s", seen, err, want)
	}
	return seen
}

// theAgent and theMachine return the running processes.
func (b *bench) theAgent() process.Process {
	b.t.Helper()
	p, err := b.agent()
	if err != nil || p.PID == 0 {
		b.t.Fatalf("no host agent lives: %v", err)
	}
	return p
}

func (b *bench) theMachine() process.Process {
	b.t.Helper()
	p, ok := qemu.Find(b.paths)
	if !ok {
		b.t.Fatal("no QEMU lives")
	}
	return p
}

// end kills a process and waits for its end.
func (b *bench) end(p process.Process) {
	b.t.Helper()
	if err := p.Signal(syscall.SIGKILL); err != nil {
		b.t.Fatal(err)
	}
	if err := p.WaitFor(b.t.Context(), 10*time.Second); err != nil {
		b.t.Fatal(err)
	}
}

// wait calls Wait, and returns once the processes are observed.
func (b *bench) wait() <-chan error {
	b.t.Helper()
	seen, err := b.observe()
	if err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(b.t.Context())
	b.t.Cleanup(cancel)
	go func() { ended <- b.await(ctx, seen) }()
	return ended
}

func (b *bench) receive(from <-chan error) error {
	b.t.Helper()
	select {
	case err := <-from:
		return err
	case <-time.After(10 * time.Second):
		b.t.Fatal("Wait did not return")
		return nil
	}
}
