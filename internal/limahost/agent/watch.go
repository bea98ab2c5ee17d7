package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/accel"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/forward"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/guest"
)

const (
	// examineEvery is how often a machine is looked at when something is wrong.
	examineEvery = 2 * time.Second
	// blip is how long a connection that broke may take to be there again before
	// the guest counts as one that does not answer.
	blip = 2 * time.Second
	// neverReadyGrace is what a guest gets to power down that never came up: there
	// is next to nothing that it could save, and somebody waits.
	neverReadyGrace = 3 * time.Second
	// stopWithin bounds the end of a machine as a whole.
	stopWithin = 35 * time.Second
)

// watcher looks after a machine that runs.
type watcher struct {
	*agent
	machine machine
	guest   guestOf
	// note on how the machine was made.
	note string
	// ready is closed when the engine answered for the first time.
	ready     chan struct{}
	readyOnce sync.Once

	// telling orders what is told; it is taken before mu.
	telling sync.Mutex
	mu      sync.Mutex
	// connected is whether there is a connection, answers whether the guest
	// counts as one that answers, wasUp whether there ever was a connection.
	connected, answers, wasUp bool
	silentSince               time.Time
	machineTrouble            string
	hinted                    bool
	// socketTrouble and portNote are what is wrong with what is forwarded.
	socketTrouble, portNote string
	lastFailure             error
	// of the connection that there is
	drop     context.CancelFunc
	conn     *guest.Conn
	engine   *forward.Forward
	forwards []*forward.Forward
	work     *sync.WaitGroup
}

// watch looks after a machine until it ends, or until ctx does, which shuts it
// down. The note is for the user.
func (a *agent) watch(ctx context.Context, m machine, g guestOf) (note string, err error) {
	w := &watcher{agent: a, machine: m, guest: g, note: a.board.read().Note, ready: make(chan struct{}), wasUp: g.up}
	if g.up {
		w.silentSince = time.Now()
	}
	_, data := engineOf(g.engine)
	link := guest.New(guest.Config{
		Addr: g.addr(), User: g.user, KeyFile: keyFile(a.paths), KnownHosts: knownHosts(a.paths), DataDir: data,
		After: w.ready, Tick: a.tick, Emulated: a.board.read().Acceleration == accel.TCG,
	}, guest.Hooks{Answers: w.reached, Failed: w.failed, Up: w.up, Beat: w.beat, Down: w.down})
	linked, unlink := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { link.Run(linked) })
	running.Go(func() {
		select {
		case <-m.networked():
			link.Networked()
		case <-linked.Done():
		}
	})
	release := func() {
		unlink()
		running.Wait()
	}
	defer release()
	err = w.follow(ctx)
	if err == nil {
		return "", nil
	}
	stop, ok := errors.AsType[*stopError](err)
	if !ok {
		return "", err
	}
	// What leads into the guest goes first, so that nobody is left hanging in it.
	release()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	grace := stopGrace
	if stop.because != nil || w.nothingToSave() {
		grace = neverReadyGrace
	}
	note, err = m.stop(ending, grace)
	if err != nil {
		return "", err
	}
	return note, stop.because
}

// nothingToSave is whether no engine was ever up on the disk. A guest that is
// still at its first boot does not hear its power button, and nobody has put
// anything into it.
func (w *watcher) nothingToSave() bool {
	select {
	case <-w.ready:
		return false
	default:
	}
	rec, found, err := loadRecord(w.paths)
	return err == nil && found && !rec.Booted && !rec.Up && !w.guest.up
}

// stopError says that the machine is to be stopped: because it was asked for
// (nil), or because of an error.
type stopError struct {
	because error
}

func (*stopError) Error() string { return "the machine is to be stopped" }

// follow returns when the machine has ended, with how, or is to be stopped.
func (w *watcher) follow(ctx context.Context) error {
	timeout := time.NewTimer(w.cfg.BootTimeout)
	defer timeout.Stop()
	if w.guest.up {
		timeout.Stop()
	}
	ready := w.ready
	ticker := time.NewTicker(examineEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return &stopError{}
		case <-w.machine.ended():
			return fmt.Errorf("the VM ended: %s", w.machine.how())
		case <-ready:
			ready = nil
			timeout.Stop()
		case <-timeout.C:
			w.mu.Lock()
			last := w.lastFailure
			w.mu.Unlock()
			return &stopError{neverReady(w.board.read(), w.cfg.BootTimeout, last, w.paths)}
		case <-w.machine.hint():
			w.mu.Lock()
			w.hinted = true
			w.mu.Unlock()
			w.examine(ctx)
		case <-ticker.C:
			w.keepSocket()
			w.examine(ctx)
		}
	}
}

// remember writes down that this machine was ready once.
func (w *watcher) remember() {
	rec, found, err := loadRecord(w.paths)
	if err == nil && (!found || rec.Up) {
		return
	}
	rec.Up, rec.Booted = true, true
	if err == nil {
		err = rec.save(w.paths)
	}
	if err != nil {
		w.log.Error("it could not be written down that the VM is up", "error", err)
	}
}

// reached: the guest's SSH server speaks.
func (w *watcher) reached() {
	if w.board.read().Phase == limahost.PhaseBoot {
		w.board.enter(limahost.PhaseSSH)
	}
}

// failed: an attempt did not work; the last one is quoted when a start fails.
func (w *watcher) failed(err error) {
	w.log.Debug("the guest is not reached yet", "error", err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastFailure = err
}

// up: there is a connection. It opens what goes through it.
func (w *watcher) up(conn *guest.Conn) {
	w.log.Info("connected to the guest")
	ctx, cancel := context.WithCancel(context.Background())
	work := &sync.WaitGroup{}
	forwards := w.openSockets(conn)
	w.mu.Lock()
	w.connected, w.answers, w.wasUp, w.silentSince = true, true, true, time.Time{}
	w.machineTrouble = ""
	w.drop, w.work, w.conn, w.forwards = cancel, work, conn, forwards
	w.mu.Unlock()
	w.keepSocket()
	w.tell()
	select {
	case <-w.ready:
	default:
		w.board.enter(limahost.PhaseEngine)
	}
	work.Go(func() {
		select {
		case <-w.ready:
		default:
			if w.awaitEngine(ctx, conn) != nil {
				return
			}
			// Before anybody can put anything on its disk.
			w.remember()
			w.board.enter(limahost.PhaseReady)
			w.log.Info("the engine answers")
			w.readyOnce.Do(func() { close(w.ready) })
		}
		w.publish(ctx, conn)
	})
}

// beat: a heartbeat was heard.
func (w *watcher) beat(g limahost.Guest) {
	w.board.update(func(s *limahost.Status) {
		// Not every heartbeat looks at the disk anew, but each tells of it.
		s.Guest = &g
	})
	w.tell()
}

// down: the connection is gone, and with it what went through it.
func (w *watcher) down(why error) {
	w.log.Warn("the connection to the guest is gone", "error", why)
	since := time.Now()
	if last := w.board.read().Guest; last != nil {
		since = last.At
	}
	w.mu.Lock()
	drop, work, forwards := w.drop, w.work, w.forwards
	if w.engine != nil {
		forwards = append(forwards, w.engine)
	}
	w.connected, w.drop, w.work, w.conn, w.engine, w.forwards = false, nil, nil, nil, nil, nil
	w.socketTrouble, w.portNote = "", ""
	w.silentSince = since
	if errors.Is(why, guest.ErrSilent) {
		w.answers = false
	}
	w.lastFailure = why
	w.mu.Unlock()
	drop()
	for _, f := range forwards {
		f.Close()
	}
	work.Wait()
	w.tell()
	time.AfterFunc(blip, func() { w.stillDown(since) })
}

// stillDown: a connection that broke is not back.
func (w *watcher) stillDown(since time.Time) {
	w.mu.Lock()
	if !w.connected && w.silentSince.Equal(since) {
		w.answers = false
	}
	w.mu.Unlock()
	w.tell()
}
