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

// monitorServer is a fake QEMU. answer returns the answer to a command, one JSON text a
// line; none for a QEMU that hangs.
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
			// QEMU serves one connection at a time.
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

func TestMonitorAnswersAndNotifies(t *testing.T) {
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
		t.Errorf("a command without an answer: %v", err)
	}
	// The next command gets its own answer.
	if state, err := m.State(t.Context()); err != nil || state != StateIOError {
		t.Errorf("state %q, %v", state, err)
	}
	(<-s.conns).Close()
	select {
	case <-m.Closed():
	case <-time.After(10 * time.Second):
		t.Fatal("the end of QEMU is not noticed")
	}
	if _, err := m.State(t.Context()); err == nil {
		t.Error("a closed monitor answers")
	}
}

func TestOpenWaitsForBusyMonitor(t *testing.T) {
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

// fakeQEMU returns a copy of the shell with another name. It passes as a QEMU if it has
// the name of one.
func fakeQEMU(t *testing.T, name string) string {
	t.Helper()
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := testkit.ShortDir(t) // other users run the copy too
	program := filepath.Join(dir, name)
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(program, shell, 0o755)); err != nil {
		t.Fatal(err)
	}
	return program
}

// machineOf starts a fake QEMU of the VM.
func machineOf(t *testing.T, p limahost.Paths, script string) process.Process {
	t.Helper()
	return startWith(t, fakeQEMU(t, "qemu-system-fake"), p, script)
}

// startWith starts a shell with the arguments of the VM's QEMU.
func startWith(t *testing.T, shell string, p limahost.Paths, script string) process.Process {
	t.Helper()
	cmd := exec.Command(shell, "-c", script+"\nwhile :; do read -r _ || exit 0; done", "qemu", "-pidfile", p.MachinePidFile())
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
		t.Fatalf("the machine printed %q, %v", line, err)
	}
	go func() { _ = cmd.Wait() }()
	found, ok := process.Find(cmd.Process.Pid)
	if !ok {
		t.Fatal("the machine is not found")
	}
	return found
}

func TestFindReadsArgumentsAndPidFile(t *testing.T) {
	p := limahost.Paths{LimaHome: t.TempDir()}
	if err := os.MkdirAll(p.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if found, ok := Find(p); ok {
		t.Fatalf("found %+v where there is none", found)
	}
	m := machineOf(t, p, "echo up")
	// Without a pid file, with other content, with the right pid, through a link.
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

func TestSSHPortFromArguments(t *testing.T) {
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

func TestStopEndsAnyQEMU(t *testing.T) {
	const patient = "trap '' TERM\necho up"
	for name, c := range map[string]struct {
		script string
		// obedient reports whether the guest shuts down on request.
		obedient, suspended bool
		note                string
	}{
		"graceful":                        {script: "echo up", obedient: true},
		"graceful after SIGSTOP":          {script: "echo up", obedient: true, suspended: true},
		"a guest that ignores the button": {script: "echo up", note: "did not shut down"},
		"a QEMU that ignores SIGTERM":     {script: patient, note: "did not shut down"},
		"the same after SIGSTOP":          {script: patient, suspended: true, note: "did not shut down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var machine process.Process
			s := serveMonitor(t, func(command string) []string {
				if command == "system_powerdown" && c.obedient {
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
				t.Error("QEMU still runs")
			}
			if note, err := Stop(t.Context(), s.paths, time.Second); note != "" || err != nil {
				t.Errorf("stop without a QEMU: %q, %v", note, err)
			}
		})
	}
}
