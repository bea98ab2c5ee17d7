package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// WatchRates are the probabilities of what can happen to a watch at each change.
type WatchRates struct {
	// Lag: the change is told seconds late, and all after it. Break: the watch
	// ends. Expire: a watch that ended cannot be taken up where it ended.
	Lag, Break, Expire float64
}

// Handler is told of changes.
type Handler interface {
	Changed(obj client.Object)
	Removed(obj client.Object)
}

// Follower tells a handler of changes, as a set of informers does.
type Follower struct {
	client  *Client
	handler Handler
	parts   []*part
}

// part follows one kind.
type part struct {
	*Client
	kind    containersv1.Kind
	handler Handler
	// known is the informer's copy; revision is how far it goes.
	known    map[Key]client.Object
	revision int64
	synced   chan struct{}
	once     sync.Once
	// replay has room for one wish to be told everything again; it is closed when
	// that is done.
	replay chan chan struct{}
}

// Follow prepares to follow all changes.
func (c *Client) Follow(ctx context.Context, h Handler) (*Follower, error) {
	if err := c.call(ctx, "follow", Key{Kind: "all"}, func() error { return nil }); err != nil {
		return nil, err
	}
	f := &Follower{client: c, handler: h}
	for _, kind := range kinds() {
		f.parts = append(f.parts, &part{
			Client: c, kind: kind, handler: h, known: map[Key]client.Object{},
			synced: make(chan struct{}), replay: make(chan chan struct{}, 1),
		})
	}
	return f, nil
}

// Run follows until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	ctx, cancel := f.client.process.Bind(ctx)
	defer cancel()
	var running sync.WaitGroup
	for _, p := range f.parts {
		running.Go(func() { p.run(ctx) })
	}
	running.Wait()
	return nil
}

// WaitForSync returns when the handler was told of what there was at the start.
func (f *Follower) WaitForSync(ctx context.Context) error {
	for _, p := range f.parts {
		select {
		case <-p.synced:
		case <-ctx.Done():
			return errors.New("simulated: the first lists were not read in time")
		}
	}
	return f.client.fates.Wait(ctx, time.Millisecond)
}

// Replay tells the handler of every object again.
func (f *Follower) Replay(ctx context.Context) error {
	for _, p := range f.parts {
		done := make(chan struct{})
		select {
		case p.replay <- done:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (p *part) dice(what string) *fate.Dice {
	return p.fates.Draw("watch " + what + " " + string(p.kind))
}

// run lists and watches until ctx ends.
func (p *part) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := p.list(ctx); err == nil {
			p.once.Do(func() { close(p.synced) })
			p.watchOn(ctx)
		}
		// A reflector's pause.
		_ = p.fates.Wait(ctx, p.dice("pause").Between(800*time.Millisecond, 2*time.Second))
	}
}

// list brings what is known up to date by difference.
func (p *part) list(ctx context.Context) error {
	var now map[Key]client.Object
	var revision int64
	err := p.call(ctx, "list", Key{Kind: p.kind}, func() error {
		now, revision = map[Key]client.Object{}, p.cluster.revision
		for key, obj := range p.cluster.objects {
			if key.Kind == p.kind {
				now[key] = obj
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.revision = revision
	for _, key := range sorted(now) {
		if old := p.known[key]; old == nil || old.GetResourceVersion() != now[key].GetResourceVersion() {
			p.known[key] = now[key]
			p.handler.Changed(now[key])
		}
	}
	for _, key := range sorted(p.known) {
		if now[key] == nil {
			last := p.known[key]
			delete(p.known, key)
			p.handler.Removed(last)
		}
	}
	return nil
}

func sorted(objects map[Key]client.Object) []Key {
	return slices.SortedFunc(maps.Keys(objects), func(a, b Key) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
}

// watchOn tells of each change until the watch breaks for good.
func (p *part) watchOn(ctx context.Context) {
	for {
		next, news, breaks := p.next()
		if next == nil {
			select { // first, so that nothing is left to chance below
			case done := <-p.replay:
				p.tellAll(ctx, done)
				continue
			default:
			}
			select {
			case <-news:
				continue
			case done := <-p.replay:
				p.tellAll(ctx, done)
				continue
			case <-breaks:
			case <-ctx.Done():
				return
			}
			if p.dice("expire").Chance(0.5) {
				return
			}
			continue
		}
		if !p.tell(ctx, *next) {
			return
		}
	}
}

// next is the next change that was not told yet, or what to wait for.
func (p *part) next() (*change, <-chan struct{}, <-chan struct{}) {
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	all := p.cluster.changes[p.kind]
	i, _ := slices.BinarySearchFunc(all, p.revision+1, func(c change, revision int64) int { return int(c.revision - revision) })
	if i < len(all) {
		return &all[i], nil, nil
	}
	return nil, p.cluster.news[p.kind], p.cluster.breaks
}

// tell tells of one change. It answers false when the watch is over.
func (p *part) tell(ctx context.Context, c change) bool {
	dice, rates := p.dice("change"), p.watch()
	lag := dice.Between(50*time.Microsecond, 5*time.Millisecond)
	if dice.Chance(rates.Lag) {
		lag = dice.Between(100*time.Millisecond, 8*time.Second)
	}
	if dice.Chance(rates.Break) {
		if p.fates.Wait(ctx, dice.Between(100*time.Millisecond, 3*time.Second)) != nil || dice.Chance(rates.Expire) {
			return false
		}
	}
	if p.fates.Wait(ctx, lag) != nil {
		return false
	}
	p.revision = c.revision
	if c.gone {
		delete(p.known, c.key)
		p.handler.Removed(c.object)
		return true
	}
	p.known[c.key] = c.object
	p.handler.Changed(c.object)
	return true
}

// tellAll tells of every object again.
func (p *part) tellAll(ctx context.Context, done chan<- struct{}) {
	if p.fates.Wait(ctx, p.dice("replay").Between(10*time.Microsecond, time.Millisecond)) != nil {
		return
	}
	for _, key := range sorted(p.known) {
		p.handler.Changed(p.known[key])
	}
	close(done)
}
