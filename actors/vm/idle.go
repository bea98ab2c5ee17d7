package vm

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
)

// holdDeadline limits the question who uses the engine, and the creation of a socket.
const holdDeadline = 15 * time.Second

// Idler is a Driver whose engine can be stopped while nothing uses it, and be started by
// the next connection.
type Idler interface {
	// LastUse returns when a process other than this one last had a connection to the
	// engine open: now, if one is open. It is an error if that is not known.
	LastUse(ctx context.Context) (time.Time, error)
	// Hold listens at the engine's endpoint, in place of the engine. needed is called,
	// from any goroutine, for each client that has sent something.
	Hold(needed func()) (Hold, error)
}

// Hold has the connections of clients to an engine that does not run.
type Hold interface {
	// Forward forwards the connections to the engine, and holds no more.
	Forward(dial func(context.Context) (net.Conn, error))
	// Open returns the number of open connections, also of forwarded ones.
	Open() int
	// Close closes all connections, and the endpoint if it is not that of the engine.
	Close()
}

// needed reports that a held connection needs the engine.
type needed struct{}

// idler returns the driver that can hold connections.
func (a *vmActor) idler() (Idler, bool) {
	for _, d := range a.cfg.Drivers {
		if s, ok := d.(*serial); ok {
			d = s.Driver
		}
		if i, ok := d.(Idler); ok {
			return i, true
		}
	}
	return nil, false
}

// holdConnections holds the connections to the engine, unless a client uses it.
func (a *vmActor) holdConnections() {
	driver, found := a.idler()
	attached, idle, relay, ctx, send := a.facts.attached, a.desired.idle, a.relay, a.tasks.Context(), a.tasks.Send
	a.launch(holdJob, holdDeadline, func(bounded context.Context, _ *call) callDone {
		if !found {
			return callDone{err: errors.New("this rdd has no driver with a VM")}
		}
		if attached {
			used, err := lastUse(bounded, driver, relay)
			if err != nil || time.Since(used) < idle {
				return callDone{used: used, err: err}
			}
		}
		hold, err := driver.Hold(func() { send(needed{}) })
		if err == nil {
			context.AfterFunc(ctx, hold.Close) // the actor may have ended meanwhile
		}
		return callDone{hold: hold, err: err}
	})
}

// lastUse returns when the engine was last used, with the connections that were forwarded
// when it was started.
func lastUse(ctx context.Context, driver Idler, relay Hold) (time.Time, error) {
	if relay != nil && relay.Open() > 0 {
		return time.Now(), nil
	}
	return driver.LastUse(ctx)
}

// holdEnded stores the held connections. If it is not known whether the engine is used, it
// counts as used: the VM keeps running, and the next attempt follows later.
func (a *vmActor) holdEnded(m callDone) {
	switch {
	case m.hold != nil:
		a.closeHold()
		a.hold, a.relay, a.facts.holding = m.hold, nil, true
		return
	case m.err != nil:
		a.cfg.Logger.Warn("the idle VM keeps running, because it is not known whether it is used", "error", m.err)
		m.used = time.Now()
	}
	a.inUse(m.used)
}

// inUse records that the engine of an idle VM is used, or was a moment ago.
func (a *vmActor) inUse(at time.Time) {
	if latest := time.Now().Add(time.Second - a.desired.idle); at.Before(latest) {
		at = latest // the app actor must notice it
	}
	a.used, a.facts.inUse = at, true
}

func (a *vmActor) onNeeded(needed) {
	if a.facts.holding {
		a.used = time.Now()
	}
}

// releaseHold forwards the held connections to an engine that runs again. It closes them if
// the engine could not be started, or if it is to be stopped for good.
func (a *vmActor) releaseHold() {
	switch {
	case a.hold == nil:
	case a.desired.running && a.facts.attached:
		socket := strings.TrimPrefix(a.endpoint, "unix://")
		a.cfg.Logger.Info("the idle engine runs again", "connections", a.hold.Open())
		a.hold.Forward(func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		})
		a.relay, a.hold, a.facts.holding = a.hold, nil, false
	case a.desired.running && a.facts.waiting, !a.desired.running && a.desired.idle == 0:
		a.closeHold()
	}
}

func (a *vmActor) closeHold() {
	if a.hold != nil {
		a.hold.Close()
	}
	a.hold, a.facts.holding = nil, false
}
