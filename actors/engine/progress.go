package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// progressEvery bounds how often the progress of a sync is told.
const progressEvery = 200 * time.Millisecond

// progress follows one full sync until every object has been mirrored or has a
// recorded reason why not.
type progress struct {
	// pending mirrors have not settled yet; awaited are all that had to.
	pending, awaited map[key]struct{}
	// totals are the objects that were listed.
	totals map[containersv1.Kind]int
	// done is set when the session has read everything.
	done bool
	// unread objects could not be read, by the engine's own IDs. One that was read
	// since is no longer among them when its mirrors, which are kept here, settle.
	unread map[engine.Key]map[key]struct{}
	// failed holds the reasons of objects that could not be mirrored.
	failed map[key]error
	// due is set while a report of the progress is on its way.
	due bool
}

func newProgress() progress {
	return progress{
		pending: map[key]struct{}{}, awaited: map[key]struct{}{},
		totals: map[containersv1.Kind]int{}, failed: map[key]error{},
	}
}

func (p *progress) listed(counts map[containersv1.Kind]int) {
	if !p.done {
		p.totals = counts
	}
}

func (p *progress) await(k key) {
	p.pending[k] = struct{}{}
	p.awaited[k] = struct{}{}
}

// read takes note that an object could be read after all, and has this mirror.
func (p *progress) read(t engine.Key, k key) {
	if mirrors, ok := p.unread[t]; ok {
		mirrors[k] = struct{}{}
	}
}

func (p *progress) settled(k key, err error) {
	delete(p.pending, k)
	for t, mirrors := range p.unread {
		if _, ok := mirrors[k]; !ok {
			continue
		}
		if delete(mirrors, k); len(mirrors) == 0 {
			delete(p.unread, t)
		}
	}
	if err == nil {
		delete(p.failed, k)
	} else if p.failed != nil {
		p.failed[k] = err
	}
}

func (p *progress) gaveUp(k key, err error) { p.settled(k, fmt.Errorf("gave up: %w", err)) }

func (p *progress) completed(unread []engine.Key) {
	p.done = true
	p.unread = map[engine.Key]map[key]struct{}{}
	for _, object := range unread {
		p.unread[object] = map[key]struct{}{}
	}
}

// message is the progress in words, such as "images 212/500, volumes 3/100".
func (p *progress) message() string {
	pending, awaited := map[containersv1.Kind]int{}, map[containersv1.Kind]int{}
	for k := range p.awaited {
		awaited[k.kind]++
	}
	for k := range p.pending {
		pending[k.kind]++
	}
	var parts []string
	for _, kind := range containersv1.Kinds() {
		if !kind.HasFinalizer() {
			continue // not listed by the engine
		}
		total := max(p.totals[kind], awaited[kind])
		parts = append(parts, fmt.Sprintf("%ss %d/%d", strings.ToLower(string(kind)), awaited[kind]-pending[kind], total))
	}
	return strings.Join(parts, ", ")
}

// problems says what is not mirrored although the sync is over; empty when all is.
func (p *progress) problems() string {
	var parts []string
	if n := len(p.unread); n > 0 {
		parts = append(parts, fmt.Sprintf("%d objects could not be read from the engine", n))
	}
	if n := len(p.failed); n > 0 {
		// Always the same one, so that the message is stable.
		first := slices.MinFunc(slices.Collect(maps.Keys(p.failed)), func(a, b key) int {
			return strings.Compare(a.path(), b.path())
		})
		parts = append(parts, fmt.Sprintf("%d objects could not be mirrored, one because: %v", n, p.failed[first]))
	}
	return strings.Join(parts, "; ")
}

func (s *supervisor) checkReady() {
	if s.state == messages.EngineSyncing && s.sync.done && len(s.sync.pending) == 0 {
		s.stopGrace()
		s.slow = 0
		s.setState(messages.EngineReady)
	}
}

// publish tells the owner what changed since it was last told.
func (s *supervisor) publish(c actor.Context) {
	if s.owner == nil {
		return
	}
	now := messages.EngineChanged{Seq: s.seq, State: s.state, Failing: s.failing != "", Message: s.failing}
	switch s.state {
	case messages.EngineSyncing:
		if s.told.State == s.state && s.told.Seq == s.seq && s.sync.due {
			return
		}
		if !s.sync.due {
			s.sync.due = true
			s.tasks.After(progressEvery, progressDue{})
		}
		now.Message = s.sync.message()
	case messages.EngineReady:
		now.Message = s.sync.problems()
	case messages.EngineCleaning:
		if s.told.State == s.state && s.told.Seq == s.seq && s.sync.due {
			return
		}
		if !s.sync.due {
			s.sync.due = true
			s.tasks.After(progressEvery, progressDue{})
		}
		now.Message = s.mirrors.cleaning()
	}
	if s.state == messages.EngineSyncing || s.state == messages.EngineReady {
		now.Engine = s.info
	}
	if now != s.told {
		s.told = now
		c.Send(s.owner, now)
	}
}
