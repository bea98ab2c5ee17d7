package request

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// volumeRequest returns a request with a status.
func volumeRequest(status func(*containersv1.RequestStatus)) *containersv1.VolumeCreateRequest {
	r := &containersv1.VolumeCreateRequest{}
	r.Name, r.Namespace, r.UID, r.ResourceVersion = "data", "home", "uid-1", "1"
	if status != nil {
		status(&r.Status)
	}
	return r
}

func isComplete(s *containersv1.RequestStatus) { completed(s, Completed("done", nil), noon) }
func isRefused(s *containersv1.RequestStatus) {
	failed(s, Failed(containersv1.ReasonInvalid, "no"), noon)
}
func isInProgress(s *containersv1.RequestStatus) { begin(s, noon) }

func terminating(r *containersv1.VolumeCreateRequest) *containersv1.VolumeCreateRequest {
	r.DeletionTimestamp = &metav1.Time{Time: noon}
	return r
}

func withTTL(seconds int32, r *containersv1.VolumeCreateRequest) *containersv1.VolumeCreateRequest {
	r.Spec.TTLSecondsAfterFinished = &seconds
	return r
}

func TestDecide(t *testing.T) {
	fresh, busy, complete := volumeRequest(nil), volumeRequest(isInProgress), volumeRequest(isComplete)
	refused := volumeRequest(isRefused)
	tests := []struct {
		name string
		view view
		want plan
	}{
		{"unknown", view{}, plan{}},
		{"without an engine", view{resource: fresh, desired: fresh}, plan{step: openEngine}},
		{"while the supervisor is asked", view{resource: fresh, desired: fresh, isBusy: true}, plan{}},
		{"with an engine", view{resource: fresh, desired: fresh, hasEngine: true}, plan{step: work}},
		{"during a pause", view{resource: fresh, desired: fresh, hasEngine: true, isPausing: true}, plan{}},
		{"begun", view{resource: fresh, desired: busy, hasEngine: true, isBusy: true, isWorking: true}, plan{write: writeStatus}},
		{"under way", view{resource: busy, desired: busy, hasEngine: true, isBusy: true, isWorking: true}, plan{}},
		{"interrupted", view{resource: busy, desired: busy, hasEngine: true}, plan{step: work}},
		{"a part is done and not stored", view{resource: fresh, desired: busy, hasEngine: true, mustStore: true}, plan{write: writeStatus}},
		{"a part is stored", view{resource: busy, desired: busy, hasEngine: true, mustStore: true}, plan{step: work}},
		{"stored in part", view{resource: volumeRequest(nil), desired: busy, sent: busy, answer: volumeRequest(nil), isBusy: true}, plan{}},
		{"stored in part before", view{resource: volumeRequest(nil), desired: complete, sent: busy, answer: volumeRequest(nil)}, plan{write: writeStatus}},
		{"stored in part and changed", view{resource: busy, desired: complete, sent: complete, answer: volumeRequest(nil)}, plan{write: writeStatus}},
		{"completed and not stored", view{resource: busy, desired: complete, hasEngine: true}, plan{write: writeStatus}},
		{"failed and not stored", view{resource: busy, desired: refused, hasEngine: true}, plan{write: writeStatus}},
		{"complete", view{resource: complete, desired: complete, hasEngine: true, now: noon}, plan{wake: noon.Add(10 * time.Minute)}},
		{"failed", view{resource: refused, desired: refused, now: noon}, plan{wake: noon.Add(10 * time.Minute)}},
		{"complete since its TTL", view{resource: complete, desired: complete, now: noon.Add(10 * time.Minute)}, plan{write: deleteRequest}},
		{"complete with a TTL of its own", view{resource: withTTL(5, volumeRequest(isComplete)), now: noon}, plan{wake: noon.Add(5 * time.Second)}},
		{"complete with a TTL of 0", view{resource: withTTL(0, volumeRequest(isComplete)), now: noon}, plan{write: deleteRequest}},
		{"deleted under way", view{resource: terminating(volumeRequest(isInProgress)), desired: busy, isWorking: true, isBusy: true, hasEngine: true}, plan{cancel: true}},
		{"deleted before the work", view{resource: terminating(volumeRequest(nil)), desired: fresh, hasEngine: true}, plan{}},
		{"gone under way", view{resource: busy, desired: busy, isGone: true, isWorking: true, isBusy: true}, plan{cancel: true}},
		{"gone and complete", view{resource: complete, desired: complete, isGone: true, now: noon.Add(time.Hour)}, plan{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := decide(test.view); got != test.want {
				t.Errorf("decide returns %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestDecideContainer(t *testing.T) {
	request := func(state containersv1.RequestedState, reason string, recorded bool) *containersv1.ContainerCreateRequest {
		r := &containersv1.ContainerCreateRequest{Spec: containersv1.ContainerCreateRequestSpec{State: state}}
		if recorded {
			r.Status.Result = &containersv1.RequestResult{Kind: containersv1.KindContainer, Name: "id"}
		}
		unfinished(&r.Status, reason, "words")
		return r
	}
	container := func(state containersv1.ContainerState, started bool) *containersv1.Container {
		c := &containersv1.Container{Status: containersv1.ContainerStatus{Status: state}}
		if started {
			c.Status.StartedAt = microTime(noon)
		}
		return c
	}
	running := containersv1.RequestedRunning
	tests := []struct {
		name      string
		request   *containersv1.ContainerCreateRequest
		container *containersv1.Container
		untried   bool
		want      containerStep
	}{
		{"new", request(running, containersv1.ReasonPending, false), nil, false, createStep},
		{"killed during the creation", request(running, containersv1.ReasonInProgress, false), nil, false, createStep},
		{"recorded", request(running, containersv1.ReasonInProgress, true), container(containersv1.ContainerCreated, false), true, startStep},
		{"killed before or during the start", request(running, containersv1.ReasonInProgress, true), container(containersv1.ContainerCreated, false), false, recreateStep},
		{"killed after the start", request(running, containersv1.ReasonInProgress, true), container(containersv1.ContainerRunning, true), false, completeStep},
		{"ended meanwhile", request(running, containersv1.ReasonInProgress, true), container(containersv1.ContainerExited, true), false, completeStep},
		{"removed meanwhile", request(running, containersv1.ReasonInProgress, true), nil, false, lostStep},
		{"start refused", request(running, containersv1.ReasonStartFailed, true), container(containersv1.ContainerCreated, false), false, discardStep},
		{"start refused and removed", request(running, containersv1.ReasonStartFailed, true), nil, false, failStep},
		{"start refused and started by a user", request(running, containersv1.ReasonStartFailed, true), container(containersv1.ContainerRunning, true), false, completeStep},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := decideContainer(test.request, test.container, test.untried); got != test.want {
				t.Errorf("decideContainer returns %s, want %s", got, test.want)
			}
		})
	}
}

// Exactly one condition becomes True, and what was written before stays until then.
func TestStatusOfRequest(t *testing.T) {
	s := &containersv1.RequestStatus{}
	check := func(complete, failed metav1.ConditionStatus, reason, message string) {
		t.Helper()
		for _, c := range s.Conditions {
			want := complete
			if c.Type == containersv1.ConditionFailed {
				want = failed
			}
			if c.Status != want {
				t.Errorf("%s is %s, want %s", c.Type, c.Status, want)
			}
		}
		if len(s.Conditions) != 2 || reasonOf(s) != reason || s.Message != message {
			t.Errorf("the status is %+v, want the reason %s and the message %q", s, reason, message)
		}
	}
	const no, yes = metav1.ConditionFalse, metav1.ConditionTrue
	waiting(s, containersv1.ReasonWaitingForEngine, "no engine")
	check(no, no, containersv1.ReasonWaitingForEngine, "no engine")
	begin(s, noon)
	check(no, no, containersv1.ReasonInProgress, "the container engine works on the request")
	result := &containersv1.RequestResult{Kind: containersv1.KindContainer, Name: "id"}
	recorded(s, Recorded(containersv1.ReasonStartFailed, "port taken", result))
	check(no, no, containersv1.ReasonStartFailed, "port taken")
	begin(s, noon.Add(time.Hour))
	waiting(s, containersv1.ReasonRetrying, "unreachable")
	check(no, no, containersv1.ReasonStartFailed, "port taken")
	failed(s, Failed(containersv1.ReasonStartFailed, s.Message), noon.Add(time.Minute))
	check(no, yes, containersv1.ReasonStartFailed, "port taken")
	if s.Result != nil || !s.StartedAt.Time.Equal(noon) || !s.CompletedAt.Time.Equal(noon.Add(time.Minute)) {
		t.Errorf("the status is %+v, want no result, and the times of the begin and of the end", s)
	}
}
