package request

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// recorded returns the events since the last call.
func (w *world) recorded() []string {
	var out []string
	for {
		select {
		case e := <-w.events.Events:
			out = append(out, e)
		default:
			return out
		}
	}
}

// isRecorded fails the test unless there is one new event with this beginning and words.
func (w *world) isRecorded(begin, words string) {
	w.t.Helper()
	got := w.recorded()
	if len(got) != 1 || !strings.HasPrefix(got[0], begin) || !strings.Contains(got[0], words) {
		w.t.Errorf("the events are %q, want one %q with %q", got, begin, words)
	}
}

func TestFailedRequestIsOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.engine.AddVolume("data")
		r := newVolumeRequest("data")
		w.put(r)
		first := w.start(noFault())
		first.settle()
		w.statusOf(r, containersv1.ConditionFailed)
		w.isRecorded("Warning FailedRequest ", "data")
		stored := w.get(r).CopyRequest()
		stored.SetLabels(map[string]string{"seen": "yes"})
		w.put(stored)
		first.settle()
		first.stop()
		second := w.start(noFault())
		defer second.stop()
		second.settle()
		if got := w.recorded(); len(got) > 0 {
			t.Errorf("a later version and the next daemon have the events %q", got)
		}
	})
}

func TestRefusedNamespaceIsEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := newVolumeRequest("data")
		r.Namespace = "elsewhere"
		w.put(r)
		d := w.start(noFault())
		defer d.stop()
		d.settle()
		w.isRecorded("Warning FailedRequest ", "in namespace "+home+" only")
	})
}

func TestRetriedRequestIsOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.engine.SetDown(true)
		w.put(newVolumeRequest("data"))
		d := w.start(noFault())
		defer d.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		w.isRecorded("Warning RetriedRequest ", "")
		w.engine.SetDown(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := w.recorded(); len(got) > 0 {
			t.Errorf("a request that was carried out has the events %q", got)
		}
	})
}

func TestChangesOfRequestAreEvents(t *testing.T) {
	var inProgress, retrying, done, refused containersv1.RequestStatus
	unfinished(&inProgress, containersv1.ReasonInProgress, "works")
	unfinished(&retrying, containersv1.ReasonRetrying, "no answer")
	completed(&done, Completed("done", nil), time.Now())
	failed(&refused, Failed(containersv1.ReasonRequestRefused, "in use"), time.Now())
	reworded := *refused.DeepCopy()
	reworded.StartedAt = &metav1.MicroTime{Time: time.Now()}
	for name, test := range map[string]struct {
		before, now containersv1.RequestStatus
		want        eventRecord
	}{
		"new":                {now: inProgress},
		"complete":           {before: inProgress, now: done},
		"failed":             {before: inProgress, now: refused, want: eventRecord{containersv1.EventFailedRequest, "in use"}},
		"failed at once":     {now: refused, want: eventRecord{containersv1.EventFailedRequest, "in use"}},
		"failed, read again": {before: refused, now: reworded},
		"retried":            {before: inProgress, now: retrying, want: eventRecord{containersv1.EventRetriedRequest, "no answer"}},
		"still retried":      {before: retrying, now: retrying},
		"failed at last":     {before: retrying, now: refused, want: eventRecord{containersv1.EventFailedRequest, "in use"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := change(&test.before, &test.now); got != test.want || ok != (test.want != eventRecord{}) {
				t.Errorf("the event is %v (%t), want %v", got, ok, test.want)
			}
		})
	}
}
