package agent

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
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/guest/guesttest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// fakeMachine is a machine that does what a test says.
type fakeMachine struct {
	gone  chan struct{}
	hints chan struct{}

	mu        sync.Mutex
	condition condition
	stopped   bool
	grace     time.Duration // of the stop
	woken     int
}

func (*fakeMachine) pid() int                   { return 4711 }
func (m *fakeMachine) ended() <-chan struct{}   { return m.gone }
func (*fakeMachine) how() string                { return "it was unplugged" }
func (m *fakeMachine) hint() <-chan struct{}    { return m.hints }
func (*fakeMachine) networked() <-chan struct{} { return nil }
func (*fakeMachine) close()                     {}

func (m *fakeMachine) stop(_ context.Context, grace time.Duration) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped, m.grace = true, grace
	return "by force", nil
}

func (m *fakeMachine) force(context.Context, string) error { return nil }

func (m *fakeMachine) look(context.Context) condition {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.condition
}

func (m *fakeMachine) wake(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.woken++
	m.condition = running
	return nil
}

func (m *fakeMachine) become(c condition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.condition = c
}

// scene is a watcher at work over a fake machine and a fake guest with an engine.
type scene struct {
	t       *testing.T
	agent   *agent
	machine *fakeMachine
	guest   *guesttest.Guest
	cancel  context.CancelFunc
	done    chan struct{}
	note    string
	err     error
}

func play(t *testing.T, change func(*agent, *guestOf)) *scene {
	t.Helper()
	home := testkit.ShortDir(t)
	p := limahost.Paths{LimaHome: home}
	s := &scene{
		t: t, guest: guesttest.Start(t), done: make(chan struct{}),
		machine: &fakeMachine{gone: make(chan struct{}), hints: make(chan struct{}, 1), condition: running},
	}
	for _, dir := range []string{p.Dir(), filepath.Dir(keyFile(p))} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(s.guest.KeyFile, keyFile(p)); err != nil {
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
	s.agent = &agent{
		cfg:   limahost.Config{LimaHome: home, Socket: filepath.Join(home, "docker.sock"), BootTimeout: time.Minute},
		paths: p, board: newBoard(limahost.Status{}), log: slog.New(slog.DiscardHandler), tick: 30 * time.Millisecond,
	}
	s.agent.board.enter(limahost.PhaseBoot)
	g := guestOf{port: port, user: "rdd", engine: "moby"}
	if change != nil {
		change(s.agent, &g)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func() {
		defer close(s.done)
		s.note, s.err = s.agent.watch(ctx, s.machine, g)
	}()
	t.Cleanup(func() {
		cancel()
		<-s.done
	})
	return s
}

// engine serves what stands for Docker in the guest.
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

// get asks the engine through the forwarded socket.
func (s *scene) get(path string) (*http.Response, error) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", s.agent.cfg.Socket)
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
		status := s.agent.board.read()
		if is(status) {
			return status
		}
		if s.agent.board.wait(ctx, status.Revision).Revision == status.Revision {
			s.t.Fatalf("%s did not come: %+v", what, status)
		}
	}
}

func (s *scene) ready() limahost.Status {
	s.t.Helper()
	return s.until("the engine", func(st limahost.Status) bool { return st.Phase == limahost.PhaseReady })
}

func isOver(s limahost.Status) bool { return s.Answers && s.Trouble == "" }

func TestStartIsFollowed(t *testing.T) {
	s := play(t, func(a *agent, _ *guestOf) {
		if err := (record{User: "rdd"}).save(a.paths); err != nil {
			t.Fatal(err)
		}
	})
	status := s.ready()
	var phases []string
	for _, p := range status.Phases {
		phases = append(phases, string(p.Phase))
	}
	if got := strings.Join(phases, " "); got != "boot ssh engine" || !status.Answers || status.Trouble != "" {
		t.Errorf("phases %s, %+v", got, status)
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
	if rec, _, err := loadRecord(s.agent.paths); err != nil || !rec.Up || !rec.Booted {
		t.Error("it is not known that the machine was up")
	}
	if _, err := os.Stat(s.agent.cfg.Socket); err == nil {
		t.Error("the engine's socket is left")
	}
}

// SSH killed: the engine's socket works again within seconds.
func TestSSHKilled(t *testing.T) {
	s := play(t, nil)
	s.ready()
	events, err := s.get("/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	cut := time.Now()
	s.guest.Cut()
	if _, err := io.ReadAll(events.Body); err == nil {
		t.Error("an event stream through the lost connection ended well")
	}
	testkit.EventuallyTrue(t, 10*time.Second, "the socket to work again", s.pings)
	if took := time.Since(cut); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	s.until("the end of it", isOver)
}

// QEMU stopped with SIGSTOP, and continued.
func TestSilentGuest(t *testing.T) {
	s := play(t, nil)
	s.ready()
	s.until("a heartbeat", func(st limahost.Status) bool { return st.Guest != nil })
	s.machine.become(suspended)
	speak := s.guest.Mute()
	s.until("silence", func(st limahost.Status) bool { return !st.Answers })
	if _, err := os.Stat(s.agent.cfg.Socket); err == nil {
		t.Error("there is a socket of a guest that does not answer")
	}
	status := s.until("what is wrong", func(st limahost.Status) bool { return st.Trouble != "" })
	if !strings.Contains(status.Trouble, "kill -CONT 4711") || !strings.Contains(status.Trouble, "has not answered since") {
		t.Errorf("trouble %q", status.Trouble)
	}
	if s.machine.stopped {
		t.Error("a machine was ended because it was silent")
	}
	s.machine.become(running)
	speak()
	s.until("the end of it", isOver)
	if !s.pings() {
		t.Error("the engine does not answer again")
	}
}

// Host disk full: said at once, and mended when there is space.
func TestHostDiskFull(t *testing.T) {
	s := play(t, nil)
	s.ready()
	s.machine.become(starved)
	s.machine.hints <- struct{}{}
	s.until("what is wrong", func(st limahost.Status) bool { return strings.Contains(st.Trouble, "paused because") })
	s.until("the end of it", isOver)
	if s.machine.woken == 0 {
		t.Error("nobody let the machine go on")
	}
}

// Guest disk full.
func TestGuestDiskFull(t *testing.T) {
	s := play(t, nil)
	s.guest.Disk(1_000_000, 10)
	s.ready()
	s.until("what is wrong", func(st limahost.Status) bool {
		return strings.Contains(st.Trouble, "docker system prune") && st.Answers
	})
	s.guest.Disk(1_000_000, 500_000)
	s.until("the end of it", isOver)
}

// A start that never gets anywhere ends, and says how far it came.
func TestNeverGetsAnywhere(t *testing.T) {
	s := play(t, func(a *agent, g *guestOf) {
		a.cfg.BootTimeout = 300 * time.Millisecond
		g.port = 1
	})
	<-s.done
	if s.err == nil || !strings.Contains(s.err.Error(), "did not start within 300ms") || !s.machine.stopped {
		t.Errorf("%v, stopped: %v", s.err, s.machine.stopped)
	}
}

// A machine that was up is never given up because it is silent, by no agent.
func TestAdoptedAndSilent(t *testing.T) {
	s := play(t, func(a *agent, g *guestOf) {
		a.cfg.BootTimeout = 100 * time.Millisecond
		g.up, g.port = true, 1
	})
	status := s.until("what is wrong", func(st limahost.Status) bool { return st.Trouble != "" || s.machine.stopped })
	if s.machine.stopped || status.Answers {
		t.Errorf("stopped: %v, %+v", s.machine.stopped, status)
	}
}

func TestMachineEnds(t *testing.T) {
	s := play(t, nil)
	s.ready()
	close(s.machine.gone)
	<-s.done
	if s.err == nil || !strings.Contains(s.err.Error(), "it was unplugged") || s.machine.stopped {
		t.Errorf("%v", s.err)
	}
}

func TestAGuestThatNeverWasUpIsNotWaitedFor(t *testing.T) {
	for want, rec := range map[time.Duration]record{neverReadyGrace: {}, stopGrace: {Booted: true}} {
		s := play(t, func(a *agent, g *guestOf) {
			g.port = 1 // nobody answers there
			if err := rec.save(a.paths); err != nil {
				t.Error(err)
			}
		})
		s.cancel()
		<-s.done
		if s.machine.grace != want {
			t.Errorf("booted before: %v; it got %v to power down, want %v", rec.Booted, s.machine.grace, want)
		}
	}
}
