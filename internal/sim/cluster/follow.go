package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// WatchRates are the probabilities of what can happen to a watch at each change.
type WatchRates struct {
	// Lag: the change and those after it are delivered seconds late. Break: the watch
	// ends. Expire: a watch that ended cannot resume, so that the client lists again.
	Lag, Break, Expire float64
}

// Informers deliver the cluster's objects to subscribers, as kube.Informers do.
type Informers struct {
	client *Client
	parts  []*part
}

// part is the informer of one kind.
type part struct {
	*Client
	kind containersv1.Kind
	// revision of the last change in known.
	revision int64
	synced   chan struct{}

	// mu guards the rest, and keeps the subscribers' calls in order.
	mu sync.Mutex
	// known is the informer's copy; isSynced is set once it has read its first list.
	known       map[Key]client.Object
	isSynced    bool
	subscribers []*subscriber
}

// subscriber receives the events of some parts.
type subscriber struct {
	ctx  context.Context
	sink func(kube.Event)
	// unsynced is the number of parts that have not delivered their first list.
	unsynced atomic.Int32
}

func (s *subscriber) deliver(e kube.Event) {
	if s.ctx.Err() == nil {
		s.sink(e)
	}
}

func (s *subscriber) partSynced() {
	if s.unsynced.Add(-1) == 0 {
		s.deliver(kube.Synced{})
	}
}

// NewInformers returns informers of all kinds.
func NewInformers(c *Client) *Informers {
	i := &Informers{client: c}
	for _, kind := range kinds() {
		i.parts = append(i.parts, &part{Client: c, kind: kind, known: map[Key]client.Object{}, synced: make(chan struct{})})
	}
	return i
}

// Subscribe delivers the objects of some kinds and their changes until ctx ends.
func (i *Informers) Subscribe(ctx context.Context, sink func(kube.Event), objects ...client.Object) error {
	// A subscription makes no call to the server, so it cannot fail.
	bound, cancel := i.client.process.Bind(ctx)
	defer cancel()
	pause := i.client.fates.Draw("subscribe").Between(10*time.Microsecond, time.Millisecond)
	if i.client.fates.Wait(bound, pause) != nil {
		return nil
	}
	s := &subscriber{ctx: ctx, sink: sink}
	s.unsynced.Store(int32(len(objects)))
	for _, p := range i.parts {
		if slices.ContainsFunc(objects, func(o client.Object) bool { return keyOf(o).Kind == p.kind }) {
			p.subscribe(s)
		}
	}
	return nil
}

func (p *part) subscribe(s *subscriber) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscribers = append(p.subscribers, s)
	for _, key := range sorted(p.known) {
		s.deliver(kube.Changed{Object: p.known[key]})
	}
	if p.isSynced {
		s.partSynced()
	}
}

// deliver hands an event to every subscriber.
func (p *part) deliver(e kube.Event) {
	p.subscribers = slices.DeleteFunc(p.subscribers, func(s *subscriber) bool { return s.ctx.Err() != nil })
	for _, s := range p.subscribers {
		s.deliver(e)
	}
}

// Run lists and watches all kinds until ctx ends.
func (i *Informers) Run(ctx context.Context) error {
	ctx, cancel := i.client.process.Bind(ctx)
	defer cancel()
	var running sync.WaitGroup
	for _, p := range i.parts {
		running.Go(func() { p.run(ctx) })
	}
	running.Wait()
	return nil
}

// WaitForSync returns when the first lists were read.
func (i *Informers) WaitForSync(ctx context.Context) error {
	for _, p := range i.parts {
		select {
		case <-p.synced:
		case <-ctx.Done():
			return errors.New("simulated: the first lists were not read in time")
		}
	}
	return i.client.fates.Wait(ctx, time.Millisecond)
}

func (p *part) dice(what string) *fate.Dice {
	return p.fates.Draw("watch " + what + " " + string(p.kind))
}

// run lists and watches until ctx ends.
func (p *part) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := p.list(ctx); err == nil {
			p.watchOn(ctx)
		}
		// A reflector's pause.
		_ = p.fates.Wait(ctx, p.dice("pause").Between(800*time.Millisecond, 2*time.Second))
	}
}

// list reads all objects and delivers the differences to the known ones.
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
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range sorted(now) {
		if old := p.known[key]; old == nil || old.GetResourceVersion() != now[key].GetResourceVersion() {
			p.changed(key, now[key])
		}
	}
	for _, key := range sorted(p.known) {
		if now[key] == nil {
			p.removed(key, p.known[key])
		}
	}
	if !p.isSynced {
		p.isSynced = true
		close(p.synced)
		for _, s := range p.subscribers {
			s.partSynced()
		}
	}
	return nil
}

func (p *part) changed(key Key, obj client.Object) {
	p.known[key] = obj
	p.deliver(kube.Changed{Object: obj})
}

func (p *part) removed(key Key, last client.Object) {
	delete(p.known, key)
	p.deliver(kube.Removed{Object: last})
}

func sorted(objects map[Key]client.Object) []Key {
	return slices.SortedFunc(maps.Keys(objects), func(a, b Key) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
}

// watchOn delivers each change until the watch breaks and cannot resume.
func (p *part) watchOn(ctx context.Context) {
	for {
		next, changed, breaks := p.next()
		if next == nil {
			select {
			case <-changed:
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
		if !p.follow(ctx, *next) {
			return
		}
	}
}

// next returns the next change that was not delivered yet. If there is none, it returns
// channels that are closed by a change and by a break of the watch.
func (p *part) next() (*change, <-chan struct{}, <-chan struct{}) {
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	all := p.cluster.changes[p.kind]
	i, _ := slices.BinarySearchFunc(all, p.revision+1, func(c change, revision int64) int { return int(c.revision - revision) })
	if i < len(all) {
		return &all[i], nil, nil
	}
	return nil, p.cluster.changed[p.kind], p.cluster.breaks
}

// follow delivers one change. It returns false when the watch is over.
func (p *part) follow(ctx context.Context, c change) bool {
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.removed {
		p.removed(c.key, c.object)
		return true
	}
	p.changed(c.key, c.object)
	return true
}
