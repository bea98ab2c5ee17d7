package watch

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/accel"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/console"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/machine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/status"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/forward"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

const (
	// checkInterval is the time between two checks of the engine's socket, and of a
	// machine with a fault.
	checkInterval = 2 * time.Second
	// reconnectGrace limits the time without a connection, after which the guest counts
	// as unresponsive.
	reconnectGrace = 2 * time.Second
	// stopGrace limits the guest's own shutdown.
	stopGrace = 20 * time.Second
	// machineEndGrace is how long QEMU may still run after its virtiofsd has ended: while
	// it exits, QEMU closes the connection first.
	machineEndGrace = 3 * time.Second
	// emptyGuestGrace limits the shutdown of a guest whose engine was never ready, and
	// which has almost no data to save.
	emptyGuestGrace = 3 * time.Second
	// stopTimeout limits the stop of a machine, force included.
	stopTimeout = 35 * time.Second
)

// Config has the parameters of a watcher.
type Config struct {
	Paths limahost.Paths
	// Socket is the path of the engine's socket on the host.
	Socket string
	// BootTimeout limits the time until the engine answers.
	BootTimeout time.Duration
	Status      *status.Broadcaster
	Log         *slog.Logger
	// Virtiofsd is the process that shares directories with the guest; zero for none.
	Virtiofsd process.Process
	// Tick is the unit of the heartbeat; 0 is its default.
	Tick time.Duration
}

// Guest has the parameters of the connection to a machine's guest.
type Guest struct {
	// SSHPort is the port of its SSH server on 127.0.0.1.
	SSHPort int
	User    string
	// Engine is moby or containerd.
	Engine string
	// YAML is the VM's lima.yaml; nil when that of an adopted VM cannot be read.
	YAML *limayaml.LimaYAML
	// Up reports whether the engine of this machine was ready before.
	Up bool
}

func (g Guest) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(g.SSHPort)) }

// watcher observes one machine. Its fields belong to the goroutine of Run.
type watcher struct {
	Config
	machine machine.Machine
	guest   Guest
	// events has the observations of other goroutines. It has no receiver once stopped
	// is closed.
	events  chan event
	stopped chan struct{}

	facts      facts
	connection *connection
	// clients counts the connections to the engine's socket.
	clients *forward.Clients
	// ready is closed, and isReady is set, when the engine has answered.
	ready   chan struct{}
	isReady bool
	// lastFailure is quoted when a start takes too long.
	lastFailure error
	// isProbing reports whether a probe of the machine runs, hasHint whether the machine
	// has reported a change since it began.
	isProbing, hasHint bool
	// reconnect fires after reconnectGrace without a connection.
	reconnect <-chan time.Time
}

// Run observes a machine until it ends, which is an error, or until ctx ends. Then
// it shuts the machine down. The note is for the user.
func Run(ctx context.Context, cfg Config, m machine.Machine, g Guest) (note string, err error) {
	s := cfg.Status.Get()
	w := &watcher{
		Config: cfg, machine: m, guest: g,
		events: make(chan event), stopped: make(chan struct{}), ready: make(chan struct{}),
		facts: facts{everConnected: g.Up, machineNote: s.Note, diskSize: s.Spec.Disk, pid: m.PID(), dir: cfg.Paths.Dir()},
	}
	w.clients = forward.NewClients(func(all []limahost.EngineClient) {
		cfg.Status.Update(func(s *limahost.Status) { s.Clients = all })
	})
	if g.Up {
		w.facts.silentSince = time.Now()
	}
	disconnect := w.connect(s.Acceleration == accel.TCG)
	end := w.loop(ctx)
	// The connection is closed first, so that no client waits for a guest that shuts
	// down.
	disconnect()
	if end.ended {
		return "", end.err
	}
	return w.stopMachine(ctx, end.err)
}

// connect starts the connection to the guest. The returned function ends it.
func (w *watcher) connect(isEmulated bool) (disconnect func()) {
	link := guest.New(guest.Config{
		Addr: w.guest.addr(), User: w.guest.User, KeyFile: w.Paths.KeyFile(), KnownHosts: w.Paths.KnownHosts(),
		DataDir: dataDir(w.guest.Engine), HeartbeatAfter: w.ready, Tick: w.Tick, Emulated: isEmulated,
	}, guest.Hooks{
		Answered: func() { w.send(sshAnswered{}) },
		Failed:   func(err error) { w.send(attemptFailed{err}) },
		Up:       func(conn *guest.Conn) { w.send(connected{conn}) },
		Beat:     func(g limahost.Guest) { w.send(heartbeat{g}) },
		Down:     func(err error) { w.send(disconnected{err}) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { link.Run(ctx) })
	running.Go(func() {
		if p := w.Virtiofsd; p.PID == 0 || p.Wait(ctx) != nil {
			return
		}
		select {
		case <-w.machine.Ended(): // virtiofsd ends with it
		case <-ctx.Done():
		case <-time.After(machineEndGrace):
			w.send(virtiofsdEnded{w.Virtiofsd.PID})
		}
	})
	running.Go(func() {
		select {
		case <-w.machine.NetworkUp():
			link.NetworkUp()
		case <-ctx.Done():
		}
	})
	return func() {
		close(w.stopped)
		cancel()
		running.Wait()
		w.closeConnection()
	}
}

// send sends an event to the loop, unless that has ended.
func (w *watcher) send(e event) {
	select {
	case w.events <- e:
	case <-w.stopped:
	}
}

// outcome is the reason why the loop has ended.
type outcome struct {
	// ended reports whether the machine has ended. Otherwise it is to be stopped.
	ended bool
	// err is the reason; nil for a stop that was requested.
	err error
}

// loop handles events until the machine has ended, or is to be stopped.
func (w *watcher) loop(ctx context.Context) outcome {
	bootTimeout := time.NewTimer(w.BootTimeout)
	defer bootTimeout.Stop()
	if w.guest.Up {
		bootTimeout.Stop()
	}
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return outcome{}
		case <-w.machine.Ended():
			return outcome{ended: true, err: fmt.Errorf("the VM ended: %s", w.machine.Cause())}
		case <-bootTimeout.C:
			if !w.isReady {
				return outcome{err: w.bootError()}
			}
		case e := <-w.events:
			e.apply(w)
			if w.hasHint {
				w.probeMachine(ctx)
			}
		case <-w.machine.Changed():
			w.hasHint = true
			w.probeMachine(ctx)
		case <-w.reconnect:
			w.reconnect, w.facts.responsive = nil, false
		case <-ticker.C:
			w.restoreSocket()
			w.probeMachine(ctx)
		}
		w.publishReport()
	}
}

// publishReport updates the status with the report on the facts.
func (w *watcher) publishReport() {
	r := w.facts.report()
	w.Status.Update(func(s *limahost.Status) {
		s.Guest, s.Answers, s.Trouble, s.Note = w.facts.guest, w.facts.responsive, r.trouble, r.note
	})
}

// bootError describes the progress of a start that took too long.
func (w *watcher) bootError() error {
	return bootError(w.Status.Get().Phase, w.BootTimeout, w.lastFailure, w.Paths.Console())
}

// bootError describes a start that took longer than limit. last is the last failed
// attempt to reach the guest.
func bootError(phase limahost.Phase, limit time.Duration, last error, consoleLog string) error {
	cause := map[limahost.Phase]string{
		limahost.PhaseBoot:   "the guest's SSH port did not answer",
		limahost.PhaseSSH:    "no login to the guest succeeded",
		limahost.PhaseEngine: "the engine in the guest did not answer",
	}[phase]
	if cause == "" {
		cause = "the phase " + string(phase) + " did not end"
	}
	text := fmt.Sprintf("the VM did not start within %v: %s", limit, cause)
	if last != nil {
		text += "; the last attempt: " + last.Error()
	}
	return fmt.Errorf("%s%s", text, console.Quote(consoleLog))
}

// stopMachine stops the machine. cause is the reason, or nil for a requested stop.
func (w *watcher) stopMachine(ctx context.Context, cause error) (note string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	grace := stopGrace
	if cause != nil || w.isEmpty() {
		grace = emptyGuestGrace
	}
	note, err = w.machine.Stop(ctx, grace)
	if err != nil {
		return "", err
	}
	return note, cause
}

// isEmpty reports whether no engine was ever ready on the disk. A guest at its first boot
// ignores its power button, and has no data of the user.
func (w *watcher) isEmpty() bool {
	if w.isReady || w.guest.Up {
		return false
	}
	rec, found, err := record.Load(w.Paths)
	return err == nil && found && !rec.Booted && !rec.Up
}
