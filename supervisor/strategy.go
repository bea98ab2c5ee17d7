package supervisor

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Policy says how a failed child is restarted.
type Policy struct {
	// Backoff between a failure and the restart.
	Backoff async.Backoff
	// Intensity is how many failures within Window lead to a restart. One more stops
	// the child.
	Intensity int
	Window    time.Duration
}

// strategy restarts each failed child on its own, after a delay. It stops a child whose
// failure is permanent. The delays of the framework's own strategy grow linearly and
// have no ceiling.
type strategy struct {
	policy  func(child string) Policy
	picture *Picture
	// mu guards failures: a strategy is shared by the incarnations of its parent.
	mu       sync.Mutex
	failures map[string][]time.Time
}

func newStrategy(p *Picture, policy func(child string) Policy) *strategy {
	return &strategy{policy: policy, picture: p, failures: map[string][]time.Time{}}
}

// HandleFailure implements actor.SupervisorStrategy. It runs in the parent's
// own goroutine.
func (s *strategy) HandleFailure(system *actor.ActorSystem, sup actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, _ any,
) {
	name := child.Id
	parent, ok := sup.(interface{ Self() *actor.PID })
	if ok { // the guardian of the root is no actor
		name = strings.TrimPrefix(name, parent.Self().Id+"/")
	}
	failed := s.record(name, time.Now())
	failed.Err = asError(reason)
	if permanent(failed.Err) {
		failed.GaveUp, failed.RetryIn = true, 0
	}
	s.picture.fail(child.Id, failed)
	if ok {
		system.Root.Send(parent.Self(), failed)
	}
	if failed.GaveUp {
		sup.StopChildren(child)
		return
	}
	// The child's mailbox is suspended until the restart. A stop is still received, and
	// is final. After it another actor can have the child's name: that one did not fail,
	// and must not restart.
	process, _ := system.ProcessRegistry.Get(child)
	time.AfterFunc(failed.RetryIn, func() {
		if now, ok := system.ProcessRegistry.Get(child); ok && now == process {
			sup.RestartChildren(child)
		}
	})
}

// record counts a failure and returns the decision. It drops the counts of children that
// have not failed within their window, because there is no limit to the names of mirrors.
func (s *strategy) record(name string, now time.Time) messages.ChildFailed {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.failures, func(name string, times []time.Time) bool {
		return len(recentOnly(times, now.Add(-s.policy(name).Window))) == 0
	})
	p := s.policy(name)
	recent := recentOnly(append(s.failures[name], now), now.Add(-p.Window))
	if len(recent) > p.Intensity {
		// The count stays: if the parent spawns the child again, the next failure within
		// the window stops it at once, and the parent sets the pace.
		s.failures[name] = recent[1:]
		return messages.ChildFailed{Name: name, GaveUp: true}
	}
	s.failures[name] = recent
	return messages.ChildFailed{Name: name, RetryIn: p.Backoff.Delay(len(recent))}
}

// recentOnly drops the times before since; times are in ascending order.
func recentOnly(times []time.Time, since time.Time) []time.Time {
	for len(times) > 0 && times[0].Before(since) {
		times = times[1:]
	}
	return times
}

// permanent reports whether a restart cannot fix the cause of an error, such as a
// datastore that this program cannot read.
func permanent(err error) bool {
	cause, ok := errors.AsType[interface {
		error
		Permanent() bool
	}](err)
	return ok && cause.Permanent()
}

func asError(reason any) error {
	if err, ok := reason.(error); ok {
		return err
	}
	return fmt.Errorf("%v", reason)
}
