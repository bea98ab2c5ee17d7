package watch

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/machine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/status"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest/guesttest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// fakeMachine is a machine in a condition that the test sets.
type fakeMachine struct {
	ended   chan struct{}
	changed chan struct{}

	mu        sync.Mutex
	condition machine.Condition
	stopped   bool
	grace     time.Duration // of the stop
	resumed   int
}

func (*fakeMachine) PID() int                   { return 4711 }
func (m *fakeMachine) Ended() <-chan struct{}   { return m.ended }
func (*fakeMachine) Cause() string              { return "it was unplugged" }
func (m *fakeMachine) Changed() <-chan struct{} { return m.changed }
func (*fakeMachine) NetworkUp() <-chan struct{} { return nil }
func (*fakeMachine) Release()                   {}

func (m *fakeMachine) Stop(_ context.Context, grace time.Duration) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped, m.grace = true, grace
	return "by force", nil
}

func (m *fakeMachine) Condition(context.Context) machine.Condition {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.condition
}

func (m *fakeMachine) Resume(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resumed++
	m.condition = machine.Running
	return nil
}

func (m *fakeMachine) set(c machine.Condition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.condition = c
}

// scene is a watcher of a fake machine and a fake guest with an engine.
type scene struct {
	t       *testing.T
	cfg     Config
	machine *fakeMachine
	guest   *guesttest.Guest
	cancel  context.CancelFunc
	done    chan struct{}
	note    string
	err     error
}

func start(t *testing.T, change func(*Config, *Guest)) *scene {
	t.Helper()
	home := testkit.ShortDir(t)
	p := limahost.Paths{LimaHome: home}
	s := &scene{
		t: t, guest: guesttest.Start(t), done: make(chan struct{}),
		machine: &fakeMachine{ended: make(chan struct{}), changed: make(chan struct{}, 1), condition: machine.Running},
	}
	for _, dir := range []string{p.Dir(), filepath.Dir(p.KeyFile())} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(s.guest.KeyFile, p.KeyFile()); err != nil {
		t.Fatal(err)
	}
	s.guest.Disk(1_000_000, 500_000)
	s.engine(filepath.Join(home, "engine"))
	_, text, err := net.SplitHostPort(s.guest.Addr())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg = Config{
		Paths: p, Socket: filepath.Join(home, "docker.sock"), BootTimeout: time.Minute,
		Status: status.New(limahost.Status{}), Log: slog.New(slog.DiscardHandler), Tick: 30 * time.Millisecond,
	}
	s.cfg.Status.EnterPhase(limahost.PhaseBoot)
	g := Guest{SSHPort: port, User: "rdd", Engine: "moby"}
	if change != nil {
		change(&s.cfg, &g)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		defer close(s.done)
		s.note, s.err = Run(ctx, s.cfg, s.machine, g)
	}()
	t.Cleanup(func() {
		cancel()
		<-s.done
	})
	return s
}

// engine serves a fake Docker in the guest.
func (s *scene) engine(path string) {
	l, err := net.Listen("unix", path)
	if err != nil {
		s.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "OK") })
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	s.t.Cleanup(func() { _ = server.Close() })
	s.guest.Socket("/var/run/docker.sock", path)
}

// get sends a request to the engine through the forwarded socket.
func (s *scene) get(path string) (*http.Response, error) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", s.cfg.Socket)
		},
	}}
	return client.Get("http://docker" + path)
}

func (s *scene) pings() bool {
	response, err := s.get("/_ping")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// until waits for a status.
func (s *scene) until(what string, is func(limahost.Status) bool) limahost.Status {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	for {
		got := s.cfg.Status.Get()
		if is(got) {
			return got
		}
		if s.cfg.Status.Wait(ctx, got.Revision).Revision == got.Revision {
			s.t.Fatalf("no status with %s: %+v", what, got)
		}
	}
}

func (s *scene) ready() limahost.Status {
	s.t.Helper()
	return s.until("the engine", func(st limahost.Status) bool { return st.Phase == limahost.PhaseReady })
}

func isHealthy(s limahost.Status) bool { return s.Answers && s.Trouble == "" }

func TestRunReportsPhasesOfStart(t *testing.T) {
	s := start(t, func(cfg *Config, _ *Guest) {
		if err := (record.Record{User: "rdd"}).Save(cfg.Paths); err != nil {
			t.Fatal(err)
		}
	})
	got := s.ready()
	var phases []string
	for _, p := range got.Phases {
		phases = append(phases, string(p.Phase))
	}
	if joined := strings.Join(phases, " "); joined != "boot ssh engine" || !got.Answers || got.Trouble != "" {
		t.Errorf("phases %s, %+v", joined, got)
	}
	if !s.pings() {
		t.Error("the engine does not answer")
	}
	s.until("a heartbeat", func(st limahost.Status) bool { return st.Guest != nil && st.Guest.BootID == "boot-1" })
	s.cancel()
	<-s.done
	if s.err != nil || s.note != "by force" || !s.machine.stopped {
		t.Errorf("stopped: %v, %q, %v", s.machine.stopped, s.note, s.err)
	}
	if rec, _, err := record.Load(s.cfg.Paths); err != nil || !rec.Up || !rec.Booted {
		t.Error("the record does not say that the engine was ready")
	}
	if _, err := os.Stat(s.cfg.Socket); err == nil {
		t.Error("the engine's socket still exists")
	}
}

// The SSH connection is killed: the engine's socket works again within seconds.
func TestRunReconnectsWithinSeconds(t *testing.T) {
	s := start(t, nil)
	s.ready()
	events, err := s.get("/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	cut := time.Now()
	s.guest.Cut()
	if _, err := io.ReadAll(events.Body); err == nil {
		t.Error("an event stream through the closed connection ended without an error")
	}
	testkit.EventuallyTrue(t, 10*time.Second, "the socket to work again", s.pings)
	if took := time.Since(cut); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	s.until("no trouble", isHealthy)
}

// QEMU is stopped with SIGSTOP, and continued.
func TestRunReportsSilentGuest(t *testing.T) {
	s := start(t, nil)
	s.ready()
	s.until("a heartbeat", func(st limahost.Status) bool { return st.Guest != nil })
	s.machine.set(machine.Suspended)
	speak := s.guest.Mute()
	s.until("silence", func(st limahost.Status) bool { return !st.Answers })
	if _, err := os.Stat(s.cfg.Socket); err == nil {
		t.Error("the socket of a silent guest exists")
	}
	got := s.until("trouble", func(st limahost.Status) bool { return st.Trouble != "" })
	if !strings.Contains(got.Trouble, "kill -CONT 4711") || !strings.Contains(got.Trouble, "has not answered since") {
		t.Errorf("trouble %q", got.Trouble)
	}
	if s.machine.stopped {
		t.Error("a silent machine was stopped")
	}
	s.machine.set(machine.Running)
	speak()
	s.until("no trouble", isHealthy)
	if !s.pings() {
		t.Error("the engine does not answer any more")
	}
}

// The host's disk is full: reported at once, and resumed when there is space.
func TestRunResumesOnceHostHasSpace(t *testing.T) {
	s := start(t, nil)
	s.ready()
	s.machine.set(machine.OutOfSpace)
	s.machine.changed <- struct{}{}
	s.until("trouble", func(st limahost.Status) bool { return strings.Contains(st.Trouble, "paused because") })
	s.until("no trouble", isHealthy)
	if s.machine.resumed == 0 {
		t.Error("the machine was not resumed")
	}
}

func TestRunReportsFullGuestDisk(t *testing.T) {
	s := start(t, nil)
	s.guest.Disk(1_000_000, 10)
	s.ready()
	s.until("trouble", func(st limahost.Status) bool {
		return strings.Contains(st.Trouble, "docker system prune") && st.Answers
	})
	s.guest.Disk(1_000_000, 500_000)
	s.until("no trouble", isHealthy)
}

// The error names the phase that the start reached.
func TestRunStopsSlowBootAtTimeout(t *testing.T) {
	s := start(t, func(cfg *Config, g *Guest) {
		cfg.BootTimeout = 300 * time.Millisecond
		g.SSHPort = 1
	})
	<-s.done
	if s.err == nil || !strings.Contains(s.err.Error(), "did not start within 300ms") || !s.machine.stopped {
		t.Errorf("%v, stopped: %v", s.err, s.machine.stopped)
	}
}

// No agent stops a machine whose engine was ready before.
func TestRunKeepsSilentAdoptedMachine(t *testing.T) {
	s := start(t, func(cfg *Config, g *Guest) {
		cfg.BootTimeout = 100 * time.Millisecond
		g.Up, g.SSHPort = true, 1
	})
	got := s.until("trouble", func(st limahost.Status) bool { return st.Trouble != "" || s.machine.stopped })
	if s.machine.stopped || got.Answers {
		t.Errorf("stopped: %v, %+v", s.machine.stopped, got)
	}
}

func TestRunFailsWhenMachineEnds(t *testing.T) {
	s := start(t, nil)
	s.ready()
	close(s.machine.ended)
	<-s.done
	if s.err == nil || !strings.Contains(s.err.Error(), "it was unplugged") || s.machine.stopped {
		t.Errorf("%v", s.err)
	}
}

func TestStopGraceOfEmptyGuestIsShort(t *testing.T) {
	for want, rec := range map[time.Duration]record.Record{emptyGuestGrace: {}, stopGrace: {Booted: true}} {
		s := start(t, func(cfg *Config, g *Guest) {
			g.SSHPort = 1 // no server listens there
			if err := rec.Save(cfg.Paths); err != nil {
				t.Error(err)
			}
		})
		s.cancel()
		<-s.done
		if s.machine.grace != want {
			t.Errorf("booted before: %v; the grace is %v, want %v", rec.Booted, s.machine.grace, want)
		}
	}
}

// A cleanup program removes the engine's socket.
func TestRunRestoresRemovedSocket(t *testing.T) {
	s := start(t, nil)
	s.ready()
	if err := os.Remove(s.cfg.Socket); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyTrue(t, 10*time.Second, "the socket to come back", s.pings)
}
