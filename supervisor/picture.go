package supervisor

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Node is one actor in the live picture of the tree.
type Node struct {
	// Name is the actor's path: root, root/engine, root/engine/container/4f5e….
	Name string `json:"name"`
	// State as the actor reports it.
	State string `json:"state"`
	// Since is when State was entered.
	Since time.Time `json:"since"`
	// Restarts since the actor was spawned.
	Restarts int `json:"restarts"`
	// LastFailure is the text of the last failure, if any.
	LastFailure string `json:"lastFailure,omitempty"`
	// LastFailureAt is the time of the last failure.
	LastFailureAt time.Time `json:"lastFailureAt,omitzero"`
	// Mailbox is the number of messages that wait.
	Mailbox int `json:"mailbox"`
}

// Picture is the live picture of the tree. The actors' props write it, HTTP and metrics
// read it, and actors never do.
type Picture struct {
	mu    sync.Mutex
	nodes map[string]*node
	// failures by home and role, and dead letters, since the start.
	failures    map[part]int
	deadLetters int
	// last and lastErr are the last failure.
	last    string
	lastErr error
	// recent are the last failures, oldest first, and failed is the number of all.
	recent []Failure
	failed int
	// followers are those of Follow.
	followers map[*follower]struct{}
	// mailbox creates the mailbox of the actor with this name.
	mailbox func(name string) actor.Mailbox
}

type node struct {
	Node
	mailbox actor.Mailbox
}

// waiting returns the number of messages in the mailbox.
func (n *node) waiting() int {
	if n.mailbox == nil {
		return 0
	}
	return n.mailbox.UserMessageCount()
}

// read returns the current node.
func (n *node) read() Node {
	now := n.Node
	now.Mailbox = n.waiting()
	return now
}

// NewPicture returns an empty picture.
func NewPicture() *Picture {
	unbounded := actor.Unbounded()
	return &Picture{
		nodes: map[string]*node{}, failures: map[part]int{}, followers: map[*follower]struct{}{},
		mailbox: func(string) actor.Mailbox { return unbounded() },
	}
}

// Nodes returns the current tree, sorted by name.
func (p *Picture) Nodes() []Node {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sorted()
}

// sorted returns the nodes by name. The mutex is held.
func (p *Picture) sorted() []Node {
	out := make([]Node, 0, len(p.nodes))
	for _, n := range p.nodes {
		out = append(out, n.read())
	}
	slices.SortFunc(out, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Props returns the props of an actor that the picture shows under name. Produce creates
// the actor; report is for the actor's state.
func (p *Picture) Props(name string, produce func(report func(state string)) actor.Actor,
	opts ...actor.PropsOption,
) *actor.Props {
	producer := func() actor.Actor {
		return &observed{Actor: produce(func(s string) { p.state(name, s) }), picture: p, name: name}
	}
	opts = append(opts, actor.WithMailbox(func() actor.Mailbox {
		mb := p.mailbox(name)
		p.spawned(name, mb)
		return finalMailbox{mb}
	}))
	return actor.PropsFromProducer(producer, opts...)
}

func (p *Picture) spawned(name string, mb actor.Mailbox) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nodes[name] = &node{Node: Node{Name: name, State: "starting", Since: time.Now()}, mailbox: mb}
	p.changed(name)
}

func (p *Picture) state(name, state string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.nodes[name]; n != nil && n.State != state {
		n.State, n.Since = state, time.Now()
		p.changed(name)
	}
}

func (p *Picture) fail(name string, f messages.ChildFailed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures[partOf(name)]++
	p.last, p.lastErr = name+": "+f.Err.Error(), f.Err
	p.remember(Failure{Name: name, Error: f.Err.Error(), At: time.Now(), GaveUp: f.GaveUp})
	p.changed(name)
	n := p.nodes[name]
	if n == nil {
		return
	}
	n.LastFailure, n.LastFailureAt = f.Err.Error(), time.Now()
	n.State, n.Since = "failed", n.LastFailureAt
	if !f.GaveUp {
		n.Restarts++
	}
}

func (p *Picture) gone(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.nodes, name)
	p.changed(name)
}

func (p *Picture) deadLetter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadLetters++
}

func (p *Picture) totals() (failures map[part]int, deadLetters int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.failures), p.deadLetters
}

// lastError returns the cause of the last failure; nil if there was none.
func (p *Picture) lastError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastErr
}

func (p *Picture) lastFailure() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}
