package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// envDaemon makes the test binary run as a daemon with the behaviour in its value.
const envDaemon = "RDD_TEST_DAEMON"

// The behaviours of a daemon.
const (
	behaves    = "behaves"
	dies       = "dies"
	neverReady = "never ready"
	ignores    = "ignores" // ignores a shutdown request and SIGTERM
	crashes    = "crash"   // crashes at a shutdown request
	late       = "late"    // waits until another process has the lock
	stopper    = "stop"    // is a command that stops the daemon
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(envDaemon); mode != "" {
		if err := serve(mode); err != nil {
			fmt.Fprintln(os.Stderr, "daemon:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serve is a small replacement of the daemon.
func serve(mode string) error {
	inst, err := instance.New("")
	if err != nil {
		return err
	}
	switch mode {
	case stopper:
		return stopAll(inst)
	case late:
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end); <-time.After(time.Millisecond) {
			if _, held, _ := instance.Running(inst.PidFile); held {
				break
			}
		}
	}
	lock, err := instance.Lock(inst.PidFile)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }()
	self, _ := process.Find(os.Getpid())
	if err := inst.SaveRun(instance.Run{PID: self.PID, Process: self.Start, Version: "v1", Started: time.Now()}); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(inst.LogDir, LogName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Fprintln(log, "daemon starts")
	if mode == dies {
		fmt.Fprintln(log, "the disk is full")
		return errors.New("cannot continue")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ended, end := context.WithCancel(context.Background())
	defer end()
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if mode == neverReady {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/rdd/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /rdd/shutdown", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(log, "shutdown", r.URL.RawQuery)
		w.WriteHeader(http.StatusAccepted)
		switch mode {
		case ignores:
		case crashes:
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		default:
			end()
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	kubeconfig := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"x",
		"clusters":[{"name":"x","cluster":{"server":"http://%s"}}],"contexts":[{"name":"x","context":{"cluster":"x"}}]}`, listener.Addr())
	if err := os.WriteFile(inst.Config, []byte(kubeconfig), 0o600); err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, mux) }()
	select {
	case <-ctx.Done():
		fmt.Fprintln(log, "SIGTERM")
		if mode == ignores {
			<-make(chan struct{})
		}
	case <-ended.Done():
	}
	return nil
}

// stopAll stops the daemon. The engine takes longer to stop than holderGrace.
func stopAll(inst instance.Instance) error {
	m := &Manager{
		Instance: inst, Report: func(string) {},
		Engine: &fakeEngine{onStop: func() { <-time.After(holderGrace + 300*time.Millisecond) }},
	}
	_, err := m.Stop(context.Background(), StopOptions{Timeout: time.Minute})
	return err
}

// another starts a process with the behaviour mode, and returns a function that
// waits for its end.
func another(t *testing.T, mode string) (wait func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envDaemon+"="+mode)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v: %s", mode, err, out.String())
		}
	}
}

// fakeEngine counts its calls.
type fakeEngine struct {
	stops, deletes int
	runs           bool
	err            error
	// onStop and onDelete, unless nil, are called by Stop and Delete.
	onStop   func()
	onDelete func() error
}

func (e *fakeEngine) Stop(context.Context) error {
	e.stops++
	if e.onStop != nil {
		e.onStop()
	}
	return e.err
}

func (e *fakeEngine) Runs(context.Context) (bool, error) { return e.runs, e.err }

func (e *fakeEngine) Delete(context.Context) error {
	e.deletes++
	if e.onDelete != nil {
		return errors.Join(e.err, e.onDelete())
	}
	return e.err
}

// fixture is a manager whose daemons have the behaviour mode.
type fixture struct {
	*Manager
	engine  *fakeEngine
	mode    string
	reports []string
	mu      sync.Mutex
}

func newFixture(t *testing.T, mode string) *fixture {
	t.Helper()
	instancetest.Home(t)
	inst, err := instance.New("")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{engine: &fakeEngine{}, mode: mode}
	f.Manager = &Manager{
		Instance: inst, Engine: f.engine,
		Prepare: func(instance.Instance) error { return nil },
		Command: func(instance.Args) *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), envDaemon+"="+f.mode)
			return cmd
		},
		Report: func(text string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.reports = append(f.reports, text)
		},
		probeTimeout: 500 * time.Millisecond, termGrace: 300 * time.Millisecond,
	}
	t.Cleanup(func() {
		if pid, running, _ := instance.Running(inst.PidFile); running && pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			_, _ = f.gone(context.WithoutCancel(t.Context()))
		}
		_ = os.RemoveAll(inst.ShortDir)
	})
	return f
}

func (f *fixture) start(t *testing.T) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, started, err := f.Start(ctx, instance.Args{Port: 1}); err != nil || !started {
		t.Fatalf("started %v, %v", started, err)
	}
	return f.pid(t)
}

func (f *fixture) pid(t *testing.T) int {
	t.Helper()
	pid, _, err := instance.Running(f.Instance.PidFile)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func (f *fixture) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(f.Log())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (f *fixture) reported(part string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Contains(strings.Join(f.reports, "\n"), part)
}
