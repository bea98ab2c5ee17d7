package mirror

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	enginememory "github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// moments counts the moments before and after the effect of each call of a mirror. From a
// given one on, calls fail and have no effect.
type moments struct {
	mu sync.Mutex // guards the rest
	// left are the moments until the end; negative means no end.
	left int
	over bool
}

var errOver = fmt.Errorf("the test ends this connection: %w", engine.ErrUnreachable)

func (m *moments) pass() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over = m.over || m.left == 0
	if m.over {
		return errOver
	}
	m.left--
	return nil
}

func (m *moments) isOver() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over
}

func (m *moments) connect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left, m.over = -1, false
}

// mortalWriter is the connection of a process to the API server.
type mortalWriter struct {
	Writer
	*moments
}

func (w mortalWriter) do(call func() (containersv1.Mirror, error)) (containersv1.Mirror, error) {
	if err := w.pass(); err != nil {
		return nil, err
	}
	m, err := call()
	if over := w.pass(); over != nil {
		return nil, over
	}
	return m, err
}

func (w mortalWriter) Get(ctx context.Context, kind containersv1.Kind, namespace, name string) (containersv1.Mirror, error) {
	return w.do(func() (containersv1.Mirror, error) { return w.Writer.Get(ctx, kind, namespace, name) })
}

func (w mortalWriter) UpdateStatus(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return w.do(func() (containersv1.Mirror, error) { return w.Writer.UpdateStatus(ctx, obj) })
}

func (w mortalWriter) CompleteAction(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error) {
	return w.do(func() (containersv1.Mirror, error) { return w.Writer.CompleteAction(ctx, obj) })
}

// mortalEngine is the connection of a process to the engine.
type mortalEngine struct {
	engine.Engine
	*moments
}

func (e mortalEngine) do(call func() error) error {
	if err := e.pass(); err != nil {
		return err
	}
	err := call()
	if over := e.pass(); over != nil {
		return over
	}
	return err
}

func (e mortalEngine) Get(ctx context.Context, key engine.Key) (m containersv1.Mirror, err error) {
	return m, e.do(func() error {
		m, err = e.Engine.Get(ctx, key)
		return err
	})
}

func (e mortalEngine) Do(ctx context.Context, key engine.Key, verb engine.Verb) error {
	return e.do(e.midway(ctx, func() error { return e.Engine.Do(context.Background(), key, verb) }))
}

func (e mortalEngine) Restart(ctx context.Context, key engine.Key, startedAt *metav1.MicroTime) error {
	return e.do(e.midway(ctx, func() error { return e.Engine.Restart(context.Background(), key, startedAt) }))
}

// midway adds a moment while the engine carries out a call, which it completes without
// the client.
func (e mortalEngine) midway(ctx context.Context, call func() error) func() error {
	return func() error {
		answer := make(chan error, 1)
		go func() { answer <- call() }()
		time.Sleep(stopDelay / 3)
		if err := e.pass(); err != nil {
			return err
		}
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stopDelay is how long the container takes to stop.
const stopDelay = time.Second

// patient is one container in memory, with its resource, over the lives of its mirrors.
type patient struct {
	t      *testing.T
	model  *enginememory.Engine
	server *memory
	id     string
	// outdated is the container before it was prepared, if mirrors begin with that.
	outdated containersv1.Mirror
}

func newPatient(t *testing.T, prepare func(*enginememory.Engine, string)) *patient {
	p := &patient{t: t, model: enginememory.New("test"), server: &memory{version: 10}}
	p.model.AddImage("app:1")
	p.id = p.model.AddContainerSpec(enginememory.ContainerSpec{Name: "web", Image: "app:1", StopDelay: stopDelay})
	prepare(p.model, p.id)
	return p
}

// request stores the resource with the annotation.
func (p *patient) request(action containersv1.Action) {
	c := p.read().(*containersv1.Container)
	c.Generation, c.Finalizers, c.UID, c.ManagedFields = 1, []string{containersv1.Finalizer}, "u1", ownFields()
	c.Status.ObservedGeneration = 1
	asks(action)(c)
	p.server.put(c)
}

func (p *patient) read() containersv1.Mirror {
	m, err := p.model.Dial().Get(context.Background(), engine.Key{Kind: containersv1.KindContainer, ID: p.id})
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// live runs a mirror in a process that ends after some moments, or whose engine does.
func (p *patient) live(api, engine *moments) {
	s := stageWith(p.t, mortalWriter{p.server, api}, mortalEngine{p.model.Dial(), engine})
	s.send(messages.MirrorChanged{Object: p.server.has()})
	first := p.outdated
	if first == nil {
		first = p.read()
	}
	s.send(messages.ObjectSeen{Object: first, AsOf: time.Now()})
	for range 6000 {
		time.Sleep(10 * time.Millisecond)
		if api.isOver() {
			return
		}
	}
	s.send(messages.ObjectSeen{Object: p.read(), AsOf: time.Now()}) // as a full sync does
}

// effects returns how often the engine has reported what an action does.
func (p *patient) effects(action containersv1.Action, since time.Time) (n int) {
	event := map[containersv1.Action]string{
		containersv1.ActionStart: "start", containersv1.ActionStop: "die", containersv1.ActionPause: "pause",
		containersv1.ActionUnpause: "unpause", containersv1.ActionRestart: "start", containersv1.ActionKill: "die",
	}[action]
	s := p.model.Subscribe(since, time.Time{}, nil)
	defer s.Close()
	sent, _ := s.Take()
	for _, m := range sent {
		if m.Actor.ID == p.id && string(m.Action) == event {
			n++
		}
	}
	return n
}

func (p *patient) check(action containersv1.Action, since time.Time, when string) {
	p.t.Helper()
	c := p.server.has()
	last := c.Status.LastAction
	if last == nil || last.State != containersv1.ActionSucceeded || last.Action != action || last.CompletedAt == nil || last.Before != nil {
		p.t.Errorf("%s, ended %s: the last action is %+v", action, when, last)
	}
	if c.Annotations[containersv1.ActionAnnotation] != "" {
		p.t.Errorf("%s, ended %s: the annotation is still there", action, when)
	}
	if n := p.effects(action, since); n != 1 {
		p.t.Errorf("%s, ended %s: it was carried out %d times", action, when, n)
	}
	if !p.read().SameStatus(withoutOwn(c)) {
		p.t.Errorf("%s, ended %s: the mirror is %+v", action, when, c.Status)
	}
}

// withoutOwn returns a resource with the engine's part of the status.
func withoutOwn(c *containersv1.Container) *containersv1.Container {
	c.Status.ObservedGeneration, c.Status.LastAction = 0, nil
	for i := range c.Status.Conditions {
		c.Status.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	return c
}

// ending is how a mirror ends.
type ending struct {
	// killed ends its process; otherwise the connection to its engine breaks.
	killed bool
	// isOutdated is set if the last reading of the container is older than its run.
	isOutdated bool
}

func (e ending) String() string {
	return map[bool]string{true: "killed", false: "disconnected"}[e.killed] + map[bool]string{true: " with an outdated reading"}[e.isOutdated]
}

// The process of a mirror is killed, or the connection to its engine breaks, before or
// after any call. The action is then carried out once all the same.
func TestActionIsCarriedOutOnce(t *testing.T) {
	start := func(e *enginememory.Engine, id string) { _ = e.StartContainer(id) }
	for action, prepare := range map[containersv1.Action]func(*enginememory.Engine, string){
		containersv1.ActionStart: func(*enginememory.Engine, string) {},
		containersv1.ActionStop:  start, containersv1.ActionRestart: start, containersv1.ActionKill: start, containersv1.ActionPause: start,
		containersv1.ActionUnpause: func(e *enginememory.Engine, id string) { start(e, id); _ = e.PauseContainer(id) },
	} {
		for _, by := range []ending{{true, false}, {true, true}, {false, false}, {false, true}} {
			t.Run(string(action)+"/"+by.String(), func(t *testing.T) {
				for moment := 0; endsAt(t, action, prepare, moment, by); moment++ {
					if moment > 100 {
						t.Fatal("the action does not end")
					}
				}
			})
		}
	}
}

// endsAt ends a mirror at a moment of an action, and lets the next one complete it. It
// returns false when the action ended before.
func endsAt(t *testing.T, action containersv1.Action, prepare func(*enginememory.Engine, string), moment int, by ending) (ended bool) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, func(*enginememory.Engine, string) {})
		if by.isOutdated {
			p.outdated = p.read()
		}
		prepare(p.model, p.id)
		time.Sleep(time.Second)
		since := time.Now()
		p.request(action)
		of := &moments{left: moment}
		if by.killed {
			p.live(of, of)
			p.outdated = nil
			p.live(&moments{left: -1}, &moments{left: -1})
		} else {
			go func() {
				time.Sleep(20 * time.Second)
				ended = of.isOver()
				of.connect()
			}()
			p.live(&moments{left: -1}, of)
		}
		ended = ended || of.isOver()
		p.check(action, since, fmt.Sprintf("at moment %d", moment))
	})
	return ended
}
