package supervisor

import (
	"context"
	"time"
)

const (
	// followPause is the least pause between two events of a follower.
	followPause = 250 * time.Millisecond
	// mailboxInterval is the pause between two readings of the mailboxes. A message that
	// waits in one is no change that the picture notices.
	mailboxInterval = 2 * time.Second
	// maxRecent is the number of failures that are kept.
	maxRecent = 50
)

// Failure is one failure of an actor.
type Failure struct {
	// Name is the actor's path.
	Name  string    `json:"name"`
	Error string    `json:"error"`
	At    time.Time `json:"at"`
	// GaveUp is set if the actor was not restarted.
	GaveUp bool `json:"gaveUp,omitempty"`
}

// The types of a TreeEvent.
const (
	// TreeSnapshot has all actors.
	TreeSnapshot = "SNAPSHOT"
	// TreeChanged has the actors that have changed, and the names of those that are gone.
	TreeChanged = "CHANGED"
)

// TreeEvent is what a follower of the tree receives: first a snapshot, then changes.
type TreeEvent struct {
	Type  string   `json:"type"`
	Nodes []Node   `json:"nodes,omitempty"`
	Gone  []string `json:"gone,omitempty"`
	// Failures are the recent ones in a snapshot, and the new ones in a change, oldest first.
	Failures []Failure `json:"failures,omitempty"`
}

// Tree returns the current tree.
func (p *Picture) Tree() Tree {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Tree{Nodes: p.sorted(), Failures: p.failuresSince(0)}
}

// Follow calls emit with the tree, and then with its changes, at most four times a second. A
// change costs what has changed, however many actors there are; in addition, all mailboxes
// are read every two seconds. It returns when ctx ends, or with the error of emit.
func (p *Picture) Follow(ctx context.Context, emit func(TreeEvent) error) error {
	f := newFollower(p)
	p.add(f)
	defer p.leave(f)
	mailboxes := time.NewTicker(mailboxInterval)
	defer mailboxes.Stop()
	for event, isNews := f.snapshot(), true; ; event, isNews = f.next() {
		if isNews {
			if err := emit(event); err != nil {
				return err
			}
			if err := pause(ctx, followPause); err != nil {
				return err
			}
		}
		select {
		case <-f.wake:
		case <-mailboxes.C:
			f.readMailboxes()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// pause waits for d. It returns an error when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// follower knows what its client has not received yet. The mutex of the picture guards its
// fields.
type follower struct {
	picture *Picture
	// wake has a signal if something has changed.
	wake chan struct{}
	// changed has the names of actors that have started, changed or ended.
	changed map[string]struct{}
	// waiting has the lengths of the mailboxes that were not empty.
	waiting map[string]int
	// failed is the number of failures that the client has received.
	failed int
}

func newFollower(p *Picture) *follower {
	return &follower{picture: p, wake: make(chan struct{}, 1), changed: map[string]struct{}{}, waiting: map[string]int{}}
}

// snapshot returns the first event.
func (f *follower) snapshot() TreeEvent {
	p := f.picture
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(f.changed)
	event := TreeEvent{Type: TreeSnapshot, Nodes: p.sorted(), Failures: p.failuresSince(0)}
	f.failed = p.failed
	for _, n := range event.Nodes {
		f.received(n)
	}
	return event
}

// next returns the changes since the last event, and whether there are any.
func (f *follower) next() (event TreeEvent, isNews bool) {
	p := f.picture
	p.mu.Lock()
	defer p.mu.Unlock()
	event = TreeEvent{Type: TreeChanged, Failures: p.failuresSince(f.failed)}
	f.failed = p.failed
	for name := range f.changed {
		if n := p.nodes[name]; n != nil {
			now := n.read()
			f.received(now)
			event.Nodes = append(event.Nodes, now)
		} else {
			delete(f.waiting, name)
			event.Gone = append(event.Gone, name)
		}
	}
	clear(f.changed)
	return event, len(event.Nodes)+len(event.Gone)+len(event.Failures) > 0
}

// received records that the client has received an actor.
func (f *follower) received(n Node) {
	delete(f.waiting, n.Name)
	if n.Mailbox > 0 {
		f.waiting[n.Name] = n.Mailbox
	}
}

// readMailboxes finds the actors whose mailboxes have another length than the client knows.
func (f *follower) readMailboxes() {
	f.picture.mu.Lock()
	defer f.picture.mu.Unlock()
	for name, n := range f.picture.nodes {
		if n.waiting() != f.waiting[name] {
			f.changed[name] = struct{}{}
		}
	}
}

// add adds a follower, and leave removes it.
func (p *Picture) add(f *follower) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.followers[f] = struct{}{}
}

func (p *Picture) leave(f *follower) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.followers, f)
}

// changed notes a change of an actor for the followers. The mutex is held.
func (p *Picture) changed(name string) {
	for f := range p.followers {
		f.changed[name] = struct{}{}
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
}

// remember keeps a failure. The mutex is held.
func (p *Picture) remember(f Failure) {
	if len(p.recent) == maxRecent {
		p.recent = append(p.recent[:0], p.recent[1:]...)
	}
	p.recent = append(p.recent, f)
	p.failed++
}

// failuresSince returns the recent failures but the first known ones. The mutex is held.
func (p *Picture) failuresSince(known int) []Failure {
	count := min(p.failed-known, len(p.recent))
	return append([]Failure(nil), p.recent[len(p.recent)-count:]...)
}
