package world

import (
	"context"
	"fmt"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/hub"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

// endWithin is the longest that an orderly end may take.
const endWithin = 3 * time.Minute

// order ends a daemon.
type order struct {
	kill, keepVM bool
	// last is set when no other daemon follows.
	last bool
	done chan struct{}
}

// order sends an order and waits until the daemon has ended.
func (w *world) order(o order) {
	o.done = make(chan struct{})
	w.orders <- o
	<-o.done
}

// process is a daemon and the process that it runs in.
type process struct {
	Daemon
	process *fate.Process
}

// runDaemons runs daemons, one after another, until an order ends the last one.
func (w *world) runDaemons() {
	defer close(w.ended)
	for {
		d := w.boot()
		select {
		case o := <-w.orders:
			w.end(d, o)
			close(o.done)
			if o.last {
				return
			}
		case <-d.Ended():
			w.Count("gave up")
			w.clear(d)
		}
		pause := w.fates.Draw("pause")
		if pause.Chance(0.3) {
			w.forge(pause)
		}
		w.fates.Pass(pause.Between(10*time.Millisecond, 5*time.Second))
	}
}

// boot starts a daemon in a process of its own.
func (w *world) boot() process {
	w.Count("boots")
	w.each(func(s *side) { s.laws.DaemonStarted() })
	p := fate.NewProcess()
	around := Surroundings{
		Mailbox: w.scheduler.Mailbox, Logger: w.logger, Dial: w.dialer(p), Later: w.later,
		Serve: func(ctx context.Context) (*Server, error) { return w.serve(ctx, p) },
	}
	if w.hub != nil {
		around.Hub = &Membership{Transport: w.hub.Transport(p), Machine: hub.Machine, Identity: hub.Identity, Allow: w.allow}
	}
	for _, m := range w.machines {
		around.Drivers = append(around.Drivers, machine.NewDriver(m, p))
	}
	return process{w.tree.Boot(around), p}
}

// dialer returns the function with which a process connects to the engines. Full syncs
// are so frequent that a run has some.
func (w *world) dialer(p *fate.Process) func(endpoint string) (containerengine.Engine, error) {
	settings := docker.Settings{Resync: w.fates.Draw("resync").Between(30*time.Second, 2*time.Minute)}
	return func(endpoint string) (containerengine.Engine, error) {
		for _, m := range w.machines {
			home, who := w.laws, ""
			switch endpoint {
			case m.Endpoint():
			case HubEndpoint(m.Endpoint()):
				home, who = w.far.laws, "hub "
			default:
				continue
			}
			home.Dialed(m)
			client := engine.NewClient(who, m.Model, w.fates, m.Link, p, w.eventRates, home.Judge(m))
			return docker.New(client, settings, w.logger), nil
		}
		return nil, fmt.Errorf("simulated: no such endpoint: %q", endpoint)
	}
}

// later calls f after a moment that is drawn for who.
func (w *world) later(who string, f func()) {
	w.after(w.fates.Draw("later "+who).Between(time.Microsecond, 100*time.Microsecond), f)
}

// end ends a daemon as ordered.
func (w *world) end(d process, o order) {
	w.Note("world", fmt.Sprintf("end the daemon, kill %t keep %t", o.kill, o.keepVM))
	if o.kill {
		w.Count("kills")
		w.kill(d)
	} else {
		w.Count("ends")
		go d.Stop(o.keepVM)
	}
	late := time.NewTimer(endWithin)
	defer late.Stop()
	select {
	case <-d.Ended():
	case <-late.C:
		w.violate("the daemon did not end within %s: %s", endWithin, d.State())
		w.kill(d)
		<-d.Ended()
	}
	if !o.kill && !o.keepVM {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		d.StopEngine(ctx)
		cancel()
	}
	w.clear(d)
}

func (w *world) kill(d process) {
	d.process.Kill()
	w.with(func() { w.server = nil })
	d.Kill()
}

// clear removes a daemon that has ended.
func (w *world) clear(d process) {
	d.process.Kill()
	failures, dead := d.Close()
	w.with(func() {
		w.server = nil
		w.deadLetters += dead
		w.failures += failures
	})
}

// forge writes a status into the mirror of an image that another version of rdd could
// have written, with another reading of the engine.
func (w *world) forge(d *fate.Dice) {
	m := w.local.someMirror(d, containersv1.KindImage)
	if m == nil {
		return
	}
	w.Note("outside", fmt.Sprintf("another version of rdd wrote %.16s", m.GetName()))
	w.laws.Forged(keyOf(m))
	w.cluster.Forge(keyOf(m), func(o containersv1.Mirror) { o.(*containersv1.Image).Status.Architecture = "former" })
}
