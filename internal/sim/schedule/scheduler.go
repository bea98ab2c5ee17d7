package schedule

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// Tree is what the scheduler asks of the actors.
type Tree interface {
	// Role returns what kind of actor has a name. Crashes are ordered by role.
	Role(actor string) string
	// Describe describes a message, without anything that differs between two runs of
	// one seed.
	Describe(message any) string
}

// Observer follows what the actors do. Its methods are called from any goroutine, and
// never with a lock of the scheduler.
type Observer interface {
	// Created is called when an actor gets its mailbox.
	Created(actor string)
	// Posted is called before a message is put into the mailbox of an actor.
	Posted(actor string, message any)
	// Failed is called when an actor panics, with the first line of the reason.
	Failed(actor, reason string)
}

// Scheduler runs the mailboxes of all actors, one message after another, in an order
// that is drawn from the seed. Each message takes a moment of virtual time, so that
// the effects of two messages never begin at the same instant.
type Scheduler struct {
	fates    *fate.Fates
	trace    *Trace
	tree     Tree
	observer Observer

	mu     sync.Mutex
	serial int
	steps  int
	// ready are the mailboxes that can handle a message, by name and age.
	ready []*Mailbox
	wake  chan struct{}
	// crashes is how many of the next messages of a role end in a panic.
	crashes map[string]int
	// held is the prefix of the names of the actors that handle no messages; empty for none.
	held string
	// waiting are the mailboxes of such actors that have a message.
	waiting []*Mailbox
}

// New returns a scheduler without mailboxes.
func New(f *fate.Fates, trace *Trace, tree Tree, observer Observer) *Scheduler {
	return &Scheduler{
		fates: f, trace: trace, tree: tree, observer: observer,
		wake: make(chan struct{}, 1), crashes: map[string]int{},
	}
}

// Crash makes the next message of an actor of a role end in a panic.
func (s *Scheduler) Crash(role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashes[role]++
}

// Calm cancels the crashes that have not happened.
func (s *Scheduler) Calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.crashes)
}

// Hold makes the actors whose names begin with a prefix handle no messages, until Release.
func (s *Scheduler) Hold(prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = prefix
	s.ready = slices.DeleteFunc(s.ready, func(m *Mailbox) bool {
		if s.isHeld(m) {
			s.waiting = append(s.waiting, m)
			return true
		}
		return false
	})
}

// Release ends a Hold.
func (s *Scheduler) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = ""
	waiting := s.waiting
	s.waiting = nil
	for _, m := range waiting {
		s.update(m)
	}
}

func (s *Scheduler) isHeld(m *Mailbox) bool { return s.held != "" && strings.HasPrefix(m.name, s.held) }

// Steps returns how many messages were handled.
func (s *Scheduler) Steps() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps
}

// Run runs mailboxes until stop is closed.
func (s *Scheduler) Run(stop <-chan struct{}) {
	for {
		select {
		case <-s.wake:
		case <-stop:
			return
		}
		for !s.idle() {
			dice := s.fates.Draw("step")
			cost := dice.Between(time.Microsecond, 30*time.Microsecond)
			if dice.Chance(0.002) {
				cost = dice.Between(time.Millisecond, 100*time.Millisecond)
			}
			s.fates.Pass(cost)
			if m := s.next(dice); m != nil {
				m.step(dice)
			}
		}
	}
}

func (s *Scheduler) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ready) == 0
}

func (s *Scheduler) next(dice *fate.Dice) *Mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ready) == 0 {
		return nil // the last one is held since
	}
	s.steps++
	return fate.Pick(dice, s.ready)
}

// Mailbox returns a new mailbox for an actor.
func (s *Scheduler) Mailbox(name string) *Mailbox {
	s.observer.Created(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return &Mailbox{scheduler: s, name: name, serial: s.serial}
}

func byName(a, b *Mailbox) int {
	if c := strings.Compare(a.name, b.name); c != 0 {
		return c
	}
	return a.serial - b.serial
}

// update adds a mailbox to the ready ones or removes it. The caller holds the lock.
func (s *Scheduler) update(m *Mailbox) {
	if s.isHeld(m) {
		if !slices.Contains(s.waiting, m) {
			s.waiting = append(s.waiting, m)
		}
		return
	}
	i, was := slices.BinarySearchFunc(s.ready, m, byName)
	is := len(m.system) > 0 || !m.suspended && len(m.user) > 0
	switch {
	case is && !was:
		s.ready = slices.Insert(s.ready, i, m)
		select {
		case s.wake <- struct{}{}:
		default:
		}
	case was && !is:
		s.ready = slices.Delete(s.ready, i, i+1)
	}
}

// takeCrash reports whether the next message of an actor is to end in a panic. The
// caller holds the lock.
func (s *Scheduler) takeCrash(actor string) bool {
	role := s.tree.Role(actor)
	if s.crashes[role] == 0 {
		return false
	}
	s.crashes[role]--
	return true
}
