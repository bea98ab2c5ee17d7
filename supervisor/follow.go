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
	failures, _ := p.failuresSince(0)
	return Tree{Nodes: p.Nodes(), Failures: failures}
}

// Follow calls emit with the tree, and then with its changes, at most four times a second. A
// tree at rest costs a reading of the mailboxes every two seconds. It returns when ctx ends,
// or with the error of emit.
func (p *Picture) Follow(ctx context.Context, emit func(TreeEvent) error) error {
	f := follower{picture: p}
	for {
		changed := p.nextChange()
		if event, isNews := f.next(); isNews {
			if err := emit(event); err != nil {
				return err
			}
		}
		if err := wait(ctx, nil, followPause); err != nil {
			return err
		}
		for isAtRest := true; isAtRest; {
			if err := wait(ctx, changed, mailboxInterval); err != nil {
				return err
			}
			isAtRest = !isClosed(changed) && f.waiting == 0 && f.picture.mailboxes() == 0
		}
	}
}

// wait waits until changed is closed, or d has passed. It returns an error when ctx ends.
func wait(ctx context.Context, changed <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// follower knows what its client has received.
type follower struct {
	picture *Picture
	known   map[string]Node
	// waiting is the number of messages in all mailboxes of known, failed that of failures.
	waiting, failed int
}

// next returns the next event, and whether it has anything new.
func (f *follower) next() (event TreeEvent, isNews bool) {
	nodes := f.picture.Nodes()
	event.Failures, f.failed = f.picture.failuresSince(f.failed)
	former := f.known
	f.known, f.waiting = make(map[string]Node, len(nodes)), 0
	for _, n := range nodes {
		f.known[n.Name] = n
		f.waiting += n.Mailbox
		if before, found := former[n.Name]; !found || before != n {
			event.Nodes = append(event.Nodes, n)
		}
	}
	for name := range former {
		if _, found := f.known[name]; !found {
			event.Gone = append(event.Gone, name)
		}
	}
	event.Type = TreeChanged
	if former == nil {
		event.Type = TreeSnapshot
	}
	return event, former == nil || len(event.Nodes)+len(event.Gone)+len(event.Failures) > 0
}

// mailboxes returns the number of messages that wait. It is cheaper than Nodes.
func (p *Picture) mailboxes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := 0
	for _, n := range p.nodes {
		if n.mailbox != nil {
			count += n.mailbox.UserMessageCount()
		}
	}
	return count
}

// nextChange returns a channel that is closed at the next change.
func (p *Picture) nextChange() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		p.waiting = make(chan struct{})
	}
	return p.waiting
}

// changed wakes the followers. The mutex is held.
func (p *Picture) changed() {
	if p.waiting != nil {
		close(p.waiting)
		p.waiting = nil
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

// failuresSince returns the recent failures but the first known ones, and the number of all.
func (p *Picture) failuresSince(known int) (recent []Failure, all int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := min(p.failed-known, len(p.recent))
	return append([]Failure(nil), p.recent[len(p.recent)-count:]...), p.failed
}
