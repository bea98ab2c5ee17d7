package world

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// Server is the control plane of one process.
type Server struct {
	world   *world
	process *fate.Process
	done    chan struct{}
	once    sync.Once
}

// serve starts a control plane, or fails.
func (w *world) serve(ctx context.Context, p *fate.Process) (*Server, error) {
	dice := w.fates.Draw("serve")
	bound, cancel := p.Bind(ctx)
	defer cancel()
	if err := w.fates.Wait(bound, dice.Between(50*time.Millisecond, 2*time.Second)); err != nil {
		return nil, err
	}
	s := &Server{world: w, process: p, done: make(chan struct{})}
	var fails, two bool
	w.with(func() {
		if fails = dice.Chance(w.serveFail); !fails {
			two, w.server = w.server != nil, s
		}
	})
	if fails {
		return nil, errors.New("simulated: the datastore cannot be opened")
	}
	if two {
		w.Violate("two control planes on one datastore")
	}
	return s, nil
}

// crash ends the server by itself.
func (s *Server) crash() { s.once.Do(func() { close(s.done) }) }

// Client returns a client of the server.
func (s *Server) Client() *cluster.Client {
	return cluster.NewClient(s.world.cluster, s.world.fates, s.world.api, s.process, s.world.watchRates)
}

// Done is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns why the server has ended.
func (s *Server) Err() error { return nil }

// Stop ends the server.
func (s *Server) Stop(context.Context) error {
	if !s.process.Dead() {
		s.world.fates.Pass(5 * time.Millisecond)
	}
	s.crash()
	s.world.with(func() {
		if s.world.server == s {
			s.world.server = nil
		}
	})
	return nil
}
