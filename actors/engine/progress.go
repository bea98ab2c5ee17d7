package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// progressEvery bounds how often the progress of a sync is told.
const progressEvery = 200 * time.Millisecond

// progress follows one full sync until every object has been mirrored or has a
// recorded reason why not.
type progress struct {
	// pending mirrors have not settled yet.
	pending map[key]struct{}
	// seen counts objects that were read, totals those that were listed.
	seen, totals map[containersv1.Kind]int
	// done is set when the session has read everything.
	done bool
	// unread counts objects that could not be read.
	unread int
	// failed holds the reasons of objects that could not be mirrored.
	failed map[key]error
	// refused counts wishes that the engine refuses at the moment.
	refused func() int
	// due is set while a report of the progress is on its way.
	due bool
}

func newProgress(refused func() int) progress {
	return progress{
		pending: map[key]struct{}{}, seen: map[containersv1.Kind]int{},
		totals: map[containersv1.Kind]int{}, failed: map[key]error{}, refused: refused,
	}
}

func (p *progress) listed(counts map[containersv1.Kind]int) {
	if !p.done {
		p.totals = counts
	}
}

func (p *progress) await(k key) {
	if _, ok := p.pending[k]; !ok {
		p.pending[k] = struct{}{}
		p.seen[k.kind]++
	}
}

func (p *progress) settled(k key, err error) {
	delete(p.pending, k)
	if err == nil {
		delete(p.failed, k)
	} else if p.failed != nil {
		p.failed[k] = err
	}
}

func (p *progress) gaveUp(k key, err error) { p.settled(k, fmt.Errorf("gave up: %w", err)) }

func (p *progress) completed(unread map[containersv1.Kind][]string) {
	p.done = true
	for _, ids := range unread {
		p.unread += len(ids)
	}
}

// message is the progress in words, such as "images 212/500, volumes 3/100".
func (p *progress) message() string {
	pending := map[containersv1.Kind]int{}
	for k := range p.pending {
		pending[k.kind]++
	}
	var parts []string
	for _, kind := range []containersv1.Kind{
		containersv1.KindContainer, containersv1.KindImage, containersv1.KindVolume,
	} {
		total := max(p.totals[kind], p.seen[kind])
		parts = append(parts, fmt.Sprintf("%ss %d/%d", strings.ToLower(string(kind)), p.seen[kind]-pending[kind], total))
	}
	return strings.Join(parts, ", ")
}

// problems says what is not mirrored although the sync is over; empty when all is.
func (p *progress) problems() string {
	var parts []string
	if p.unread > 0 {
		parts = append(parts, fmt.Sprintf("%d objects could not be read from the engine", p.unread))
	}
	for _, err := range p.failed {
		parts = append(parts, fmt.Sprintf("%d objects could not be mirrored, one because: %v", len(p.failed), err))
		break
	}
	return strings.Join(parts, "; ")
}

func (s *supervisor) checkReady() {
	if s.state == messages.EngineSyncing && s.sync.done && len(s.sync.pending) == 0 {
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
		now.Message = fmt.Sprintf("%d mirrors to take away", len(s.mirrors.all()))
		if s.told.State == s.state && s.told.Seq == s.seq {
			return
		}
	}
	if s.state == messages.EngineSyncing || s.state == messages.EngineReady {
		now.Engine = s.info
	}
	if now != s.told {
		s.told = now
		c.Send(s.owner, now)
	}
}
