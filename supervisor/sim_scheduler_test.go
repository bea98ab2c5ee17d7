package supervisor

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containerengine "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// scheduler runs the mailboxes of all actors, one message after another, in an
// order that is drawn from the seed. Each message takes a moment of virtual
// time, so that no two things that follow from two messages begin at the same
// instant.
type scheduler struct {
	fates *fate.Fates
	trace *trace

	mu     sync.Mutex
	serial int
	steps  int
	// ready are the mailboxes that have something to do, by name and age.
	ready []*simMailbox
	wake  chan struct{}
	// crashes is how many of the next messages of a role end in a panic.
	crashes map[string]int
	laws    *laws
}

func newScheduler(f *fate.Fates, t *trace) *scheduler {
	return &scheduler{fates: f, trace: t, wake: make(chan struct{}, 1), crashes: map[string]int{}}
}

// crash makes the next message of an actor of this role end in a panic.
func (s *scheduler) crash(role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashes[role]++
}

// calm takes back what crash has ordered.
func (s *scheduler) calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.crashes)
}

// run runs mailboxes until stop is closed.
func (s *scheduler) run(stop <-chan struct{}) {
	for {
		select {
		case <-s.wake:
		case <-stop:
			return
		}
		for {
			s.mu.Lock()
			idle := len(s.ready) == 0
			s.mu.Unlock()
			if idle {
				break
			}
			dice := s.fates.Draw("step")
			cost := dice.Between(time.Microsecond, 30*time.Microsecond)
			if dice.Chance(0.002) {
				cost = dice.Between(time.Millisecond, 100*time.Millisecond)
			}
			s.fates.Pass(cost)
			s.next(dice).step(dice)
		}
	}
}

// taken is how many steps there were.
func (s *scheduler) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps
}

func (s *scheduler) next(dice *fate.Dice) *simMailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps++
	return fate.Pick(dice, s.ready)
}

// mailbox makes the mailbox of an actor.
func (s *scheduler) mailbox(name string) actor.Mailbox {
	s.laws.began(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return &simMailbox{scheduler: s, name: name, serial: s.serial}
}

func byName(a, b *simMailbox) int {
	if c := strings.Compare(a.name, b.name); c != 0 {
		return c
	}
	return a.serial - b.serial
}

// update takes a mailbox into or out of the ready ones; the lock is held.
func (s *scheduler) update(m *simMailbox) {
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

// simMailbox is a mailbox whose messages the scheduler runs.
type simMailbox struct {
	scheduler *scheduler
	name      string
	serial    int
	invoker   actor.MessageInvoker
	// guarded by the scheduler's lock
	system, user []any
	suspended    bool
}

func (m *simMailbox) post(queue *[]any, message any) {
	s := m.scheduler
	s.laws.posted(message)
	s.mu.Lock()
	defer s.mu.Unlock()
	*queue = append(*queue, message)
	s.update(m)
}

func (m *simMailbox) PostUserMessage(message any)   { m.post(&m.user, message) }
func (m *simMailbox) PostSystemMessage(message any) { m.post(&m.system, message) }
func (m *simMailbox) RegisterHandlers(i actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = i
}
func (m *simMailbox) Start() {}
func (m *simMailbox) UserMessageCount() int {
	m.scheduler.mu.Lock()
	defer m.scheduler.mu.Unlock()
	return len(m.user)
}

// take takes the next message out, and says whether it is to end in a panic,
// before it is handled or after.
func (m *simMailbox) take(dice *fate.Dice) (message any, system, before, after bool) {
	s := m.scheduler
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.update(m)
	if len(m.system) > 0 {
		message, m.system = m.system[0], m.system[1:]
		switch message.(type) {
		case *actor.SuspendMailbox:
			m.suspended = true
		case *actor.ResumeMailbox:
			m.suspended = false
		}
		return message, true, false, false
	}
	message, m.user = m.user[0], m.user[1:]
	if role := roleOf(m.name); s.crashes[role] > 0 {
		s.crashes[role]--
		before = dice.Chance(0.5)
		return message, false, before, !before
	}
	return message, false, false, false
}

// step handles one message.
func (m *simMailbox) step(dice *fate.Dice) {
	message, system, before, after := m.take(dice)
	m.scheduler.trace.note(m.name, describeMessage(message))
	defer func() {
		if r := recover(); r != nil {
			m.scheduler.trace.note(m.name, fmt.Sprintf("PANIC %s", firstLine(fmt.Sprint(r))))
			m.scheduler.laws.panicked(m.name, firstLine(fmt.Sprint(r)))
			m.invoker.EscalateFailure(r, message)
		}
	}()
	switch message.(type) {
	case *actor.SuspendMailbox, *actor.ResumeMailbox:
		return
	}
	if system {
		m.invoker.InvokeSystemMessage(message)
		return
	}
	if before {
		panic(errors.New("simulated bug, before the message"))
	}
	m.invoker.InvokeUserMessage(message)
	if after {
		panic(errors.New("simulated bug, after the message"))
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// describeMessage says what a message is, without anything that differs between two
// runs of the same seed.
func describeMessage(message any) string {
	switch m := actor.UnwrapEnvelopeMessage(message).(type) {
	case messages.MirrorChanged:
		o := m.Object
		return fmt.Sprintf("MirrorChanged %s/%.12s rv %s gen %d deleting %t", o.MirrorKind(), o.GetName(), o.GetResourceVersion(), o.GetGeneration(), o.GetDeletionTimestamp() != nil)
	case messages.MirrorRemoved:
		return fmt.Sprintf("MirrorRemoved %s/%.12s %s", m.Kind, m.Name, m.UID)
	case messages.ObjectSeen:
		return fmt.Sprintf("ObjectSeen %s/%.12s of %d", m.Object.MirrorKind(), m.Object.GetName(), m.AsOf.UnixNano())
	case messages.ObjectGone:
		return fmt.Sprintf("ObjectGone %s/%.12s of %d", m.Kind, m.Name, m.AsOf.UnixNano())
	case messages.SessionEvent:
		switch ev := m.Event.(type) {
		case containerengine.Object:
			return fmt.Sprintf("SessionEvent %s/%.12s of %d", ev.Mirror.MirrorKind(), ev.Mirror.GetName(), ev.AsOf.UnixNano())
		case containerengine.Gone:
			return fmt.Sprintf("SessionEvent gone %s/%.12s of %d", ev.Key.Kind, ev.Key.ResourceName(), ev.AsOf.UnixNano())
		default:
			return fmt.Sprintf("SessionEvent %T", ev)
		}
	case messages.MirrorSettled:
		return fmt.Sprintf("MirrorSettled %s/%.12s refused %t err %v", m.Kind, m.Name, m.Refused, m.Err != nil)
	case messages.MirrorFinished:
		return fmt.Sprintf("MirrorFinished %s/%.12s", m.Kind, m.Name)
	case messages.ChildFailed:
		return fmt.Sprintf("ChildFailed %s gave up %t: %s", m.Name, m.GaveUp, firstLine(fmt.Sprint(m.Err)))
	case messages.VMChanged:
		return fmt.Sprintf("VMChanged gen %d %s wanted %t current %t %s", m.Generation, m.State, m.Wanted, m.Current, m.Driver)
	case messages.EnsureVM:
		return fmt.Sprintf("EnsureVM gen %d running %t %s", m.Generation, m.Running, m.Spec.Driver)
	case messages.EngineChanged:
		return fmt.Sprintf("EngineChanged seq %d %s %s", m.Seq, m.State, m.Message)
	case *actor.Terminated:
		return "Terminated " + m.Who.Id
	case *actor.Failure:
		return "Failure of " + m.Who.Id
	case task.Done:
		return m.String()
	default:
		return fmt.Sprintf("%T", m)
	}
}

// trace keeps the end of what happened, and a hash of all of it.
type trace struct {
	mu    sync.Mutex
	began time.Time
	hash  uint64
	lines []string
	all   bool
	print func(string)
}

// traceEnd is how many lines are kept.
const traceEnd = 400

func (t *trace) note(who, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := fmt.Sprintf("%14.9f %-40.60s %s", time.Since(t.began).Seconds(), who, what)
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", t.hash, line)
	t.hash = h.Sum64()
	if t.print != nil {
		t.print(line)
	}
	if t.lines = append(t.lines, line); len(t.lines) > traceEnd && !t.all {
		t.lines = slices.Delete(t.lines, 0, len(t.lines)-traceEnd)
	}
}

// end are the last lines.
func (t *trace) end(n int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.lines[max(0, len(t.lines)-n):])
}
