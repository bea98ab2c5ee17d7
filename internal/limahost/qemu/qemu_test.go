package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// monitorServer stands for QEMU: answer returns what is said to a command, one
// JSON text a line; nothing at all for a QEMU that hangs.
type monitorServer struct {
	paths  limahost.Paths
	answer func(command string) []string
	conns  chan net.Conn
}

func serveMonitor(t *testing.T, answer func(string) []string) *monitorServer {
	t.Helper()
	s := &monitorServer{paths: limahost.Paths{LimaHome: testkit.ShortDir(t)}, answer: answer, conns: make(chan net.Conn, 10)}
	if err := os.MkdirAll(s.paths.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", s.paths.QMP())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.conns <- conn
			// One at a time, as QEMU does it.
			s.serve(conn)
		}
	}()
	return s
}

func (s *monitorServer) serve(conn net.Conn) {
	defer conn.Close()
	fmt.Fprintln(conn, `{"QMP": {"version": {}, "capabilities": ["oob"]}}`)
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var request struct {
			Execute string `json:"execute"`
			ID      int    `json:"id"`
		}
		if json.Unmarshal(lines.Bytes(), &request) != nil {
			return
		}
		if request.Execute == "qmp_capabilities" {
			fmt.Fprintf(conn, `{"return": {}, "id": %d}`+"\n", request.ID)
			continue
		}
		for _, line := range s.answer(request.Execute) {
			fmt.Fprintln(conn, strings.ReplaceAll(line, "ID", fmt.Sprint(request.ID)))
		}
	}
}

func open(t *testing.T, s *monitorServer, events func(Event)) *Monitor {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	m, err := Open(ctx, s.paths.QMP(), events)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestMonitor(t *testing.T) {
	events := make(chan Event, 10)
	s := serveMonitor(t, func(command string) []string {
		switch command {
		case "query-status":
			return []string{
				`{"event": "BLOCK_IO_ERROR", "data": {"nospace": true, "reason": "No space left on device"}}`,
				`this is not JSON`,
				`{"return": {"status": "io-error", "running": false}, "id": ID}`,
			}
		case "cont":
			return []string{`{"error": {"class": "GenericError", "desc": "no space"}, "id": ID}`}
		default:
			return nil
		}
	})
	m := open(t, s, func(e Event) { events <- e })
	state, err := m.State(t.Context())
	if err != nil || state != StateIOError {
		t.Errorf("state %q, %v", state, err)
	}
	if e := <-events; e.Name != "BLOCK_IO_ERROR" || !e.Data.NoSpace {
		t.Errorf("event %+v", e)
	}
	if err := m.Continue(t.Context()); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("cont: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := m.PowerDown(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command that is not answered: %v", err)
	}
	// The one after it gets its own answer.
	if state, err := m.State(t.Context()); err != nil || state != StateIOError {
		t.Errorf("state %q, %v", state, err)
	}
	(<-s.conns).Close()
	select {
	case <-m.Closed():
	case <-time.After(10 * time.Second):
		t.Fatal("the end of QEMU is not seen")
	}
	if _, err := m.State(t.Context()); err == nil {
		t.Error("a monitor that is closed answers")
	}
}

func TestABusyMonitorIsNotOpened(t *testing.T) {
	s := serveMonitor(t, func(string) []string { return []string{`{"return": {"status": "running"}, "id": ID}`} })
	held := open(t, s, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, s.paths.QMP(), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another has the monitor: %v", err)
	}
	held.Close()
	if state, err := open(t, s, nil).State(t.Context()); err != nil || state != StateRunning {
		t.Errorf("state %q, %v", state, err)
	}
}

// machineOf starts a process that looks like the QEMU of a VM.
func machineOf(t *testing.T, p limahost.Paths, script string) process.Process {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script+"\nwhile :; do read -r _ || exit 0; done", "qemu", "-pidfile", p.MachinePidFile())
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
		in.Close()
		_ = cmd.Process.Kill()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("the machine said %q, %v", line, err)
	}
	go func() { _ = cmd.Wait() }()
	found, ok := process.Find(cmd.Process.Pid)
	if !ok {
		t.Fatal("the machine is not there")
	}
	return found
}

func TestFind(t *testing.T) {
	p := limahost.Paths{LimaHome: t.TempDir()}
	if err := os.MkdirAll(p.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if found, ok := Find(p); ok {
		t.Fatalf("found %+v where there is none", found)
	}
	m := machineOf(t, p, "echo up")
	// Without a pid file; with another's; with the right one; through a link.
	write := func(text string) {
		if err := os.WriteFile(p.MachinePidFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(p.LimaHome, link); err != nil {
		t.Fatal(err)
	}
	for _, step := range []func(){
		func() {},
		func() { write(fmt.Sprint(os.Getpid())) },
		func() { write("nonsense") },
		func() { write(fmt.Sprintf("%d\n", m.PID)) },
		func() { p = limahost.Paths{LimaHome: link} },
	} {
		step()
		if found, ok := Find(p); !ok || found.PID != m.PID {
			t.Errorf("found %+v, %v, want pid %d", found, ok, m.PID)
		}
	}
	if other, ok := Find(limahost.Paths{LimaHome: p.LimaHome + "-other"}); ok {
		t.Errorf("another VM's machine was found: %+v", other)
	}
}

func TestSSHPort(t *testing.T) {
	for text, want := range map[string]int{
		"-netdev user,id=net0,net=192.168.5.0/24,dhcpstart=192.168.5.15,hostfwd=tcp:127.0.0.1:40091-:22":    40091,
		"-netdev user,id=net0,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=tcp::2222-192.168.5.15:22,restrict=on": 2222,
		"-netdev user,id=net0,hostfwd=tcp:127.0.0.1:8080-:2200":                                             0,
		"-m 768": 0,
	} {
		if got := SSHPort(strings.Fields(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestStop(t *testing.T) {
	const patient = "trap '' TERM\necho up"
	for name, c := range map[string]struct {
		script string
		// heeds is whether the guest shuts down when it is told to.
		heeds, suspended bool
		note             string
	}{
		"graceful":                        {script: "echo up", heeds: true},
		"graceful after SIGSTOP":          {script: "echo up", heeds: true, suspended: true},
		"a guest that does not heed it":   {script: "echo up", note: "did not shut down"},
		"a QEMU that heeds nothing":       {script: patient, note: "did not shut down"},
		"a QEMU that is hung and stopped": {script: patient, suspended: true, note: "did not shut down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var machine process.Process
			s := serveMonitor(t, func(command string) []string {
				if command == "system_powerdown" && c.heeds {
					_ = machine.Signal(syscall.SIGKILL)
				}
				return []string{`{"return": {"status": "running"}, "id": ID}`}
			})
			machine = machineOf(t, s.paths, c.script)
			if c.suspended {
				if err := machine.Signal(syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				testkit.EventuallyTrue(t, 10*time.Second, "QEMU to stop", func() bool { return Stopped(machine) })
			}
			note, err := Stop(t.Context(), s.paths, 300*time.Millisecond)
			if err != nil || !strings.Contains(note, c.note) || (note == "") != (c.note == "") {
				t.Errorf("note %q, %v", note, err)
			}
			if machine.Alive() {
				t.Error("it lives")
			}
			if note, err := Stop(t.Context(), s.paths, time.Second); note != "" || err != nil {
				t.Errorf("stopping what is stopped: %q, %v", note, err)
			}
		})
	}
}
