package mirror

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// recorded returns the events that a fake has received since the last call.
func recorded(events *record.FakeRecorder) []string {
	var out []string
	for {
		select {
		case e := <-events.Events:
			out = append(out, e)
		default:
			return out
		}
	}
}

func microTime(at time.Time) *metav1.MicroTime {
	t := metav1.NewMicroTime(at)
	return &t
}

func oomKilled(at time.Time) containersv1.ContainerStatus {
	return containersv1.ContainerStatus{
		FinishedAt: microTime(at),
		Conditions: []metav1.Condition{{Type: containersv1.ConditionOOMKilled, Status: metav1.ConditionTrue}},
	}
}

func TestChangesOfContainerAreEvents(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	failed := func(text string) containersv1.ContainerStatus { return containersv1.ContainerStatus{Error: text} }
	oom := eventRecord{containersv1.EventOOMKilled, "the container was killed, because it ran out of memory"}
	health := func(state containersv1.ContainerState, status containersv1.HealthStatus) containersv1.ContainerStatus {
		return containersv1.ContainerStatus{Status: state, Health: containersv1.ContainerHealth{Status: status, Output: "no answer"}}
	}
	restarted := func(times int32, started, finished time.Time) containersv1.ContainerStatus {
		return containersv1.ContainerStatus{RestartCount: times, StartedAt: microTime(started), FinishedAt: microTime(finished)}
	}
	loop := eventRecord{containersv1.EventRestartLoop, "the restart policy restarts the container again and again, and its last run was short: see its log"}
	acted := func(state containersv1.ActionState) containersv1.ContainerStatus {
		return containersv1.ContainerStatus{LastAction: &containersv1.ActionStatus{Action: containersv1.ActionKill, State: state, Error: "not running"}}
	}
	for name, test := range map[string]struct {
		before, now containersv1.ContainerStatus
		isRefused   bool
		want        []eventRecord
	}{
		"nothing":                      {},
		"out of memory":                {now: oomKilled(noon), want: []eventRecord{oom}},
		"out of memory, read again":    {before: oomKilled(noon), now: oomKilled(noon)},
		"out of memory, a second time": {before: oomKilled(noon), now: oomKilled(noon.Add(time.Second)), want: []eventRecord{oom}},
		"out of memory, started again": {before: oomKilled(noon)},
		"failed start":                 {now: failed("no such file"), want: []eventRecord{{containersv1.EventFailedStart, "no such file"}}},
		"failed start, read again":     {before: failed("no such file"), now: failed("no such file")},
		"another failed start":         {before: failed("no such file"), now: failed("a directory"), want: []eventRecord{{containersv1.EventFailedStart, "a directory"}}},
		"failed start of a request, whose refusal is an event": {now: failed("no such file"), isRefused: true},
		"successful start": {before: failed("no such file")},
		"unhealthy": {
			before: health(containersv1.ContainerRunning, containersv1.HealthHealthy), now: health(containersv1.ContainerRunning, containersv1.HealthUnhealthy),
			want: []eventRecord{{containersv1.EventUnhealthy, "the health check fails: no answer"}},
		},
		"still unhealthy":          {before: health(containersv1.ContainerRunning, containersv1.HealthUnhealthy), now: health(containersv1.ContainerRunning, containersv1.HealthUnhealthy)},
		"unhealthy, exited":        {before: health(containersv1.ContainerRunning, containersv1.HealthHealthy), now: health(containersv1.ContainerExited, containersv1.HealthUnhealthy)},
		"failed action":            {before: acted(containersv1.ActionRunning), now: acted(containersv1.ActionFailed), want: []eventRecord{{containersv1.EventFailedAction, "kill: not running"}}},
		"failed earlier":           {before: acted(containersv1.ActionFailed), now: acted(containersv1.ActionFailed)},
		"running action":           {before: acted(containersv1.ActionFailed), now: acted(containersv1.ActionRunning)},
		"second restart":           {before: restarted(1, noon, noon), now: restarted(2, noon, noon.Add(time.Second))},
		"third restart":            {before: restarted(2, noon, noon), now: restarted(3, noon, noon.Add(time.Second)), want: []eventRecord{loop}},
		"no restart":               {before: restarted(3, noon, noon), now: restarted(3, noon, noon.Add(time.Second))},
		"restart after a long run": {before: restarted(2, noon, noon), now: restarted(3, noon, noon.Add(time.Hour))},
	} {
		t.Run(name, func(t *testing.T) {
			if got := changes(&test.before, &test.now, test.isRefused); !slices.Equal(got, test.want) {
				t.Errorf("the events are %v, want %v", got, test.want)
			}
		})
	}
}

func TestUnsharedMountsAreEvents(t *testing.T) {
	list := []containersv1.ContainerMount{
		{Type: "bind", Source: "/src", Destination: "/a"}, {Type: "bind", Source: "/shared", Destination: "/b"}, {Type: "volume", Volume: "v", Destination: "/c"},
	}
	got := unshared(list, func(path string) bool { return path != "/shared" })
	if len(got) != 1 || got[0].reason != containersv1.EventUnsharedMount || !strings.Contains(got[0].message, "/src of this machine is not shared with the VM, so /a") {
		t.Errorf("the events are %v", got)
	}
}

// Each attempt that the engine refuses is an event of the resource.
func TestRefusalsAreEvents(t *testing.T) {
	for want, resource := range map[string]*containersv1.Container{
		"Warning FailedDelete in use": resource(terminating),
		"Warning FailedStart in use":  resource(wants(containersv1.StateRunning)),
		"Warning FailedStop in use":   resource(wants(containersv1.StateCreated)),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			s.refusal = errors.New("in use")
			*s.writer.away = true
			s.writer.stored = withUID(resource, "u1", "5")
			s.send(messages.MirrorChanged{Object: s.writer.stored})
			s.send(messages.ObjectSeen{Object: engineContainer(containersv1.ContainerPaused), AsOf: time.Now()})
			if got := recorded(s.events); !slices.Equal(got, []string{want}) {
				t.Fatalf("after the refusal the events are %q, want %q", got, want)
			}
			s.send(messages.RetryNow{})
			if got := recorded(s.events); !slices.Equal(got, []string{want}) {
				t.Errorf("after a retry the events are %q, want %q once more", got, want)
			}
		})
	}
}

// A change of the resource is one event, in whatever order the write's answer and the
// informer deliver it. A resource of a former daemon is none.
func TestChangedResourceIsOneEvent(t *testing.T) {
	events := record.NewFakeRecorder(10)
	m := New(Config{Kind: containersv1.KindContainer, Name: "c1", Logger: slog.New(slog.DiscardHandler), Events: events}).(*mirror)
	former := withUID(resource(), "u1", "5")
	former.Status = oomKilled(time.Now())
	m.changed(former)
	if got := recorded(events); len(got) > 0 {
		t.Fatalf("a resource of a former daemon has the events %q", got)
	}
	now := withUID(resource(), "u1", "6")
	now.Status = oomKilled(time.Now().Add(time.Hour))
	m.changed(now)
	m.changed(now.CopyMirror())
	m.changed(former)
	if got := recorded(events); len(got) != 1 {
		t.Errorf("one change has the events %q", got)
	}
	m.changed(withUID(resource(), "u2", "7"))
	if got := recorded(events); len(got) > 0 {
		t.Errorf("a recreated resource has the events %q", got)
	}
}

// A container that ended at once is new. One that ended earlier, and is mirrored because
// the engine was connected, is not.
func TestCreatedResourceOfEndedContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for ago, want := range map[time.Duration]int{time.Second: 1, time.Hour: 0} {
			events := record.NewFakeRecorder(10)
			m := New(Config{Kind: containersv1.KindContainer, Name: "c1", Logger: slog.New(slog.DiscardHandler), Events: events}).(*mirror)
			created := withUID(resource(), "u1", "5")
			created.Status = oomKilled(time.Now().Add(-ago))
			m.apply(outcome{op: create, resource: created})
			if got := recorded(events); len(got) != want {
				t.Errorf("a container that ended %s ago has the events %q", ago, got)
			}
		}
	})
}

// On a hub, only what was requested there is an event.
func TestOnlyRequestedEventsAreRecorded(t *testing.T) {
	events := record.NewFakeRecorder(10)
	m := New(Config{Kind: containersv1.KindContainer, Name: "c1", Logger: slog.New(slog.DiscardHandler), Events: events, OnlyRequested: true}).(*mirror)
	m.changed(withUID(resource(), "u1", "5"))
	now := withUID(resource(), "u1", "6")
	now.Status = oomKilled(time.Now())
	now.Status.Error = "no such file"
	now.Status.LastAction = &containersv1.ActionStatus{Action: containersv1.ActionKill, State: containersv1.ActionFailed, Error: "not running"}
	m.changed(now)
	if got := recorded(events); !slices.Equal(got, []string{"Warning FailedAction kill: not running"}) {
		t.Errorf("the events are %q", got)
	}
	m.record(eventRecord{containersv1.EventFailedStart, "in use"})
	if got := recorded(events); !slices.Equal(got, []string{"Warning FailedStart in use"}) {
		t.Errorf("after a refusal the events are %q", got)
	}
}
