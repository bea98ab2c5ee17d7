package schedule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// SimulatedBug is in the text of each simulated panic.
const SimulatedBug = "simulated bug"

// Actor handles the messages of one mailbox.
type Actor interface {
	// Handle handles a message; system is set for those of the actor framework. It
	// may panic.
	Handle(message any, system bool)
	// Fail is called with the value with which Handle of a message panicked.
	Fail(reason, message any)
}

// effect is what a system message does to its mailbox.
type effect int

const (
	deliver effect = iota
	suspend
	resume
)

type systemMessage struct {
	message any
	effect  effect
}

// Mailbox holds the messages of one actor. System messages come first. It is safe for
// concurrent use.
type Mailbox struct {
	scheduler *Scheduler
	name      string
	serial    int
	actor     Actor
	// guarded by the scheduler's lock
	system    []systemMessage
	user      []any
	suspended bool
}

// Attach sets the actor, before the first message is posted.
func (m *Mailbox) Attach(a Actor) { m.actor = a }

// Post adds a user message.
func (m *Mailbox) Post(message any) {
	m.post(message, func() { m.user = append(m.user, message) })
}

// PostSystem adds a system message.
func (m *Mailbox) PostSystem(message any) { m.postSystem(message, deliver) }

// PostSuspend adds a system message that suspends the user messages. The actor does
// not get it.
func (m *Mailbox) PostSuspend(message any) { m.postSystem(message, suspend) }

// PostResume adds a system message that ends a suspension. The actor does not get it.
func (m *Mailbox) PostResume(message any) { m.postSystem(message, resume) }

func (m *Mailbox) postSystem(message any, e effect) {
	m.post(message, func() { m.system = append(m.system, systemMessage{message, e}) })
}

func (m *Mailbox) post(message any, add func()) {
	s := m.scheduler
	s.observer.Posted(m.name, message)
	s.mu.Lock()
	defer s.mu.Unlock()
	add()
	s.update(m)
}

// Len returns the number of user messages that wait.
func (m *Mailbox) Len() int {
	m.scheduler.mu.Lock()
	defer m.scheduler.mu.Unlock()
	return len(m.user)
}

// turn is one message on its way to an actor.
type turn struct {
	message           any
	system, delivered bool
	// before and after are set when the actor panics before or after the message.
	before, after bool
}

// take removes the next message.
func (m *Mailbox) take(dice *fate.Dice) turn {
	s := m.scheduler
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.update(m)
	if len(m.system) > 0 {
		next := m.system[0]
		m.system = m.system[1:]
		switch next.effect {
		case suspend:
			m.suspended = true
		case resume:
			m.suspended = false
		case deliver:
		}
		return turn{message: next.message, system: true, delivered: next.effect == deliver}
	}
	t := turn{message: m.user[0], delivered: true}
	m.user = m.user[1:]
	if s.takeCrash(m.name) {
		t.before = dice.Chance(0.5)
		t.after = !t.before
	}
	return t
}

// step handles one message.
func (m *Mailbox) step(dice *fate.Dice) {
	t, s := m.take(dice), m.scheduler
	s.trace.Note(m.name, s.tree.Describe(t.message))
	if !t.delivered {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			reason := FirstLine(fmt.Sprint(r))
			s.trace.Note(m.name, "PANIC "+reason)
			s.observer.Failed(m.name, reason)
			m.actor.Fail(r, t.message)
		}
	}()
	if t.before {
		panic(errors.New(SimulatedBug + ", before the message"))
	}
	m.actor.Handle(t.message, t.system)
	if t.after {
		panic(errors.New(SimulatedBug + ", after the message"))
	}
}

// FirstLine returns a text up to its first line break.
func FirstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
