package lima

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// The modes of a fake agent, which are an argument of its program.
const (
	behaves   = "behaves"
	stuck     = "stuck"     // in the boot phase
	fails     = "fails"     // in the boot phase, with an error
	crashes   = "crashes"   // before it holds its lock
	neverUp   = "neverup"   // never takes its lock
	deaf      = "deaf"      // ignores SIGTERM
	machineIn = "machinein" // has the machine in its own process
)

// TestMain makes the test binary a host agent or a QEMU when its arguments say so.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "agent":
		if err := runAgent(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "fake agent:", err)
			os.Exit(1)
		}
		os.Exit(0)
	case len(os.Args) == 5 && os.Args[1] == "agent" && os.Args[3] == "--check":
		var config limahost.Config
		if err := json.NewDecoder(os.Stdin).Decode(&config); err != nil || config.Spec.CPUs == 0 {
			fmt.Fprintln(os.Stderr, "rdd: own.yaml:3: no", err)
			os.Exit(1)
		}
		os.Exit(0)
	case len(os.Args) == 5 && os.Args[1] == "machine":
		if err := runMachine(os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, "fake QEMU:", err)
			os.Exit(1)
		}
		os.Exit(0)
	case len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-"):
		fmt.Fprintf(os.Stderr, "this is a test and no %s\n", os.Args[1])
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// fakeAgent is a host agent without Lima.
type fakeAgent struct {
	mode   string
	paths  limahost.Paths
	config limahost.Config

	mu      sync.Mutex
	status  limahost.Status
	changed chan struct{}
}

func runAgent(mode, home string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Fprintln(os.Stderr, "the agent starts")
	switch mode {
	case crashes:
		return errors.New("out of luck")
	case neverUp:
		<-ctx.Done()
		return nil
	}
	a := &fakeAgent{mode: mode, paths: limahost.Paths{LimaHome: home}, changed: make(chan struct{})}
	lock, err := instance.Lock(a.paths.PidFile())
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }()
	if _, err := limahost.Load(a.paths.Config(), &a.config); err != nil {
		return err
	}
	end := limahost.ExitStatus{PID: os.Getpid(), At: time.Now()}
	if end.Note, err = a.run(ctx); err != nil {
		end.Error = err.Error()
	}
	return limahost.Save(a.paths.ExitStatus(), end)
}

// run brings the machine up and down.
func (a *fakeAgent) run(ctx context.Context) (note string, err error) {
	a.status = limahost.Status{Revision: 1, PID: os.Getpid(), Spec: a.config.Spec, Phase: limahost.PhaseImage}
	if err := a.serve(a.paths.Socket(), http.HandlerFunc(a.answer)); err != nil {
		return "", err
	}
	machine, err := a.bringUp(ctx)
	if err == nil && a.status.Phase == limahost.PhaseReady {
		if err := machine.Wait(ctx); err == nil {
			return "", fmt.Errorf("the VM ended; last lines of its console:\nKernel panic - not syncing")
		}
	}
	<-ctx.Done()
	if a.mode == deaf {
		<-make(chan struct{})
	}
	if machine.PID == 0 {
		return "", err
	}
	return qemu.Stop(context.Background(), a.paths, 5*time.Second)
}

func (a *fakeAgent) bringUp(ctx context.Context) (process.Process, error) {
	if a.mode == machineIn {
		a.set(func(s *limahost.Status) { s.Acceleration = "vz" })
		me, _ := process.Find(os.Getpid())
		return me, a.ready()
	}
	if found, ok := qemu.Find(a.paths); ok {
		a.set(func(s *limahost.Status) { s.MachinePID, s.Adopted = found.PID, true })
		return found, a.ready()
	}
	a.phase(limahost.PhaseDisk)
	if err := os.MkdirAll(a.paths.Dir(), 0o700); err != nil {
		return process.Process{}, err
	}
	if err := limahost.Save(a.paths.Current(), a.config.Spec); err != nil {
		return process.Process{}, err
	}
	a.phase(limahost.PhaseBoot)
	switch a.mode {
	case stuck:
		<-ctx.Done()
		return process.Process{}, nil
	case fails:
		fmt.Fprintln(os.Stderr, "the guest does not come up")
		_ = limahost.Save(a.paths.ExitStatus(), limahost.ExitStatus{PID: os.Getpid(), At: time.Now(), Error: "the guest did not boot; last lines of its console:\nNo init found"})
		os.Exit(1)
	}
	program, err := a.qemuProgram()
	if err != nil {
		return process.Process{}, err
	}
	p, _, err := process.Start(exec.Command(program, "machine", "-pidfile", a.paths.MachinePidFile(), a.paths.QMP()))
	if err != nil {
		return process.Process{}, err
	}
	a.set(func(s *limahost.Status) { s.MachinePID = p.PID })
	a.phase(limahost.PhaseEngine)
	for p.Alive() {
		if monitor, err := qemu.Open(ctx, a.paths.QMP(), nil); err == nil {
			monitor.Close()
			break
		}
	}
	return p, a.ready()
}

// qemuProgram returns the path of a copy of this program with the name of a QEMU.
func (a *fakeAgent) qemuProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	program := filepath.Join(a.paths.Dir(), "qemu-system-fake")
	if err := os.Link(self, program); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return program, nil
}

// ready serves an engine.
func (a *fakeAgent) ready() error {
	err := a.serve(a.config.Socket, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "OK") }))
	a.phase(limahost.PhaseReady)
	return err
}

func (a *fakeAgent) serve(socket string, handler http.Handler) error {
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, handler) }()
	return nil
}

func (a *fakeAgent) phase(next limahost.Phase) {
	a.set(func(s *limahost.Status) {
		s.Phases = append(s.Phases, limahost.PhaseTime{Phase: s.Phase, Took: 100 * time.Millisecond})
		s.Phase = next
	})
}

func (a *fakeAgent) set(change func(*limahost.Status)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.status)
	a.status.Revision++
	close(a.changed)
	a.changed = make(chan struct{})
}

// troubleFile has the trouble that the fake agent reports.
func troubleFile(p limahost.Paths) string { return filepath.Join(p.LimaHome, "trouble") }

func (a *fakeAgent) answer(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.ParseInt(r.FormValue("since"), 10, 64)
	a.mu.Lock()
	status, changed := a.status, a.changed
	a.mu.Unlock()
	if since >= status.Revision {
		select {
		case <-changed:
		case <-time.After(time.Second):
		case <-r.Context().Done():
		}
		a.mu.Lock()
		status = a.status
		a.mu.Unlock()
	}
	trouble, _ := os.ReadFile(troubleFile(a.paths))
	status.Trouble = string(trouble)
	_ = json.NewEncoder(w).Encode(status)
}

// runMachine is a fake QEMU that can be powered down.
func runMachine(pidFile, qmp string) error {
	if err := os.WriteFile(pidFile, fmt.Append(nil, os.Getpid()), 0o600); err != nil {
		return err
	}
	// QEMU too replaces the socket of a killed one.
	_ = os.Remove(qmp)
	listener, err := net.Listen("unix", qmp)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		fmt.Fprintln(conn, `{"QMP": {}}`)
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			var command struct {
				Execute string `json:"execute"`
				ID      int    `json:"id"`
			}
			if err := json.Unmarshal(lines.Bytes(), &command); err != nil {
				return err
			}
			answer := "{}"
			if strings.HasPrefix(command.Execute, "query") {
				answer = `{"status": "running"}`
			}
			fmt.Fprintf(conn, "{\"return\": %s, \"id\": %d}\n", answer, command.ID)
			if command.Execute == "system_powerdown" {
				return nil
			}
		}
	}
}
