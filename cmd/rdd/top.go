package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/statstable"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// topEvery is the pause between two tables, and between two lists of containers.
const topEvery = 2 * time.Second

type topCmd struct {
	output
	Names []string `arg:"" optional:"" name:"name" predictor:"container" help:"Containers to show. Default: all running ones."`
	Once  bool     `help:"Print one table and exit."`
}

// Run implements the command. Without a terminal, or with -o, each table is printed
// below the last one.
func (c *topCmd) Run(s *session) error {
	daemon, streams, err := s.streams()
	if err != nil {
		return err
	}
	t := &top{topCmd: c, session: s, daemon: daemon, streams: streams, followed: map[string]context.CancelFunc{}, rows: map[string]statstable.Row{}}
	if c.Once {
		return t.once()
	}
	defer t.workers.Wait()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	isLive := isTerminal(s.out) && !c.structured()
	tick := time.NewTicker(topEvery)
	defer tick.Stop()
	for {
		if err := t.follow(ctx); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if isLive {
			fmt.Fprint(s.out, "\x1b[H\x1b[J") // home, and erase what is below
		}
		if err := t.print(); err != nil {
			return err
		}
	}
}

// top follows the use of containers.
type top struct {
	*topCmd
	*session
	daemon  *client.Client
	streams *client.Streams
	workers sync.WaitGroup
	// followed are the containers with an open stream.
	followed map[string]context.CancelFunc

	mu   sync.Mutex // guards rows
	rows map[string]statstable.Row
}

// chosen returns the containers to show.
func (t *top) chosen(ctx context.Context) ([]v1alpha1.Container, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if len(t.Names) == 0 {
		all, err := t.daemon.Containers(ctx)
		return slices.DeleteFunc(all, func(c v1alpha1.Container) bool { return c.Status.Status != v1alpha1.ContainerRunning }), err
	}
	var out []v1alpha1.Container
	for _, name := range t.Names {
		found, err := t.daemon.Container(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, *found)
	}
	return out, nil
}

// follow opens the streams of containers that are new, and closes those of others.
func (t *top) follow(ctx context.Context) error {
	chosen, err := t.chosen(ctx)
	if err != nil {
		return err
	}
	isChosen := map[string]bool{}
	for _, c := range chosen {
		isChosen[c.Name] = true
		if t.followed[c.Name] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		t.followed[c.Name] = cancel
		t.workers.Go(func() { t.stream(ctx, &c) })
	}
	for name, cancel := range t.followed {
		if !isChosen[name] {
			cancel()
			delete(t.followed, name)
			t.set(name, nil)
		}
	}
	return nil
}

// stream keeps the row of a container. A stream that ends is opened again later, while
// the container is chosen.
func (t *top) stream(ctx context.Context, c *v1alpha1.Container) {
	for ctx.Err() == nil {
		_ = t.streams.Stats(ctx, c, false, func(s containerengine.Stats) { // its end empties the row
			t.set(c.Name, &statstable.Row{Name: c.Status.Name, ID: c.Name, Stats: s})
		})
		t.set(c.Name, nil)
		select {
		case <-time.After(topEvery):
		case <-ctx.Done():
		}
	}
}

func (t *top) set(name string, row *statstable.Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if row == nil {
		delete(t.rows, name)
		return
	}
	t.rows[name] = *row
}

func (t *top) print() error {
	t.mu.Lock()
	var rows []statstable.Row
	for _, row := range t.rows {
		rows = append(rows, row)
	}
	t.mu.Unlock()
	slices.SortFunc(rows, func(a, b statstable.Row) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	if t.Output == "yaml" && !t.Once {
		fmt.Fprintln(t.out, "---") // each table is a document
	}
	return t.show(t.output, map[string]any{"containers": rows}, func() error { return statstable.Write(t.out, rows) })
}

// once reads the use of all chosen containers in parallel, because each reading takes a
// second.
func (t *top) once() error {
	chosen, err := t.chosen(t.ctx)
	if err != nil {
		return err
	}
	failures := make([]error, len(chosen))
	for i, c := range chosen {
		t.workers.Go(func() {
			failures[i] = t.streams.Stats(t.ctx, &c, true, func(s containerengine.Stats) {
				t.set(c.Name, &statstable.Row{Name: c.Status.Name, ID: c.Name, Stats: s})
			})
		})
	}
	t.workers.Wait()
	if len(t.Names) == 0 {
		failures = nil // a container can end between the list and the reading
	}
	return errors.Join(errors.Join(failures...), t.print())
}
