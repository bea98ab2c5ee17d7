package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

const (
	// slots is how many names a kind of requests uses, one after the other.
	slots = 10
	// requestEvery is the pause between two requests of a kind. A name is used again after
	// ten pauses, when rdd has removed the finished request.
	requestEvery = 25 * time.Second
	requestTTL   = int32(30)
)

// requestKind is a kind of requests.
type requestKind struct {
	name string
	// draft returns a request for an object of this name.
	draft func(name string, common containersv1.RequestSpec) containersv1.Request
	// path of the object in the engine's API; empty if there is none.
	path string
}

func requestKinds() []requestKind {
	return []requestKind{
		{"volume", func(name string, common containersv1.RequestSpec) containersv1.Request {
			return &containersv1.VolumeCreateRequest{Spec: containersv1.VolumeCreateRequestSpec{RequestSpec: common, Name: name}}
		}, "/volumes/%s"},
		{"container", func(name string, common containersv1.RequestSpec) containersv1.Request {
			return &containersv1.ContainerCreateRequest{Spec: containersv1.ContainerCreateRequestSpec{
				RequestSpec: common, Name: name, Image: base, PullPolicy: containersv1.PullNever, Command: sleeping(),
				StopSignal: "SIGKILL", Networks: []string{"none"}, State: containersv1.RequestedRunning,
			}}
		}, "/containers/%s?force=1"},
		{"tag", func(name string, common containersv1.RequestSpec) containersv1.Request {
			return &containersv1.ImageTagRequest{Spec: containersv1.ImageTagRequestSpec{RequestSpec: common, Image: "image:0", Tag: name + ":1"}}
		}, "/images/%s:1"},
		{"network", func(name string, common containersv1.RequestSpec) containersv1.Request {
			return &containersv1.NetworkCreateRequest{Spec: containersv1.NetworkCreateRequestSpec{RequestSpec: common, Name: name, Internal: true}}
		}, "/networks/%s"},
		{"prune", func(_ string, common containersv1.RequestSpec) containersv1.Request {
			return &containersv1.PruneRequest{Spec: containersv1.PruneRequestSpec{
				RequestSpec: common, Kinds: []containersv1.PruneKind{"Container", "Image", "Volume"}, All: true, Labels: []string{"example.com/pruned"},
			}}
		}, ""},
	}
}

// requests returns a task for each kind of requests.
func (u *user) requests() (tasks []task) {
	for _, kind := range requestKinds() {
		tasks = append(tasks, task{name: kind.name + " request", every: requestEvery, do: u.counted(func(ctx context.Context, n int) error {
			return u.request(ctx, kind, fmt.Sprintf("asked-%s-%s-%d", kind.name, u.name, n%slots))
		})})
	}
	return tasks
}

// request creates a request, waits until it is complete, and deletes what came of it. rdd
// removes the request later.
func (u *user) request(ctx context.Context, kind requestKind, name string) error {
	if kind.path != "" {
		if err := u.removeOld(ctx, fmt.Sprintf(kind.path, name)); err != nil {
			return err
		}
	}
	ttl := requestTTL
	r := kind.draft(name, containersv1.RequestSpec{TTLSecondsAfterFinished: &ttl})
	r.SetName(name)
	r.SetNamespace(appv1.DefaultNamespace)
	created, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if err := u.api().Create(created, r); err != nil {
		return err
	}
	err := await(ctx, "the end of a request", startTimeout, func(ctx context.Context) error {
		if err := u.api().Get(ctx, client.ObjectKeyFromObject(r), r); err != nil {
			return err
		}
		if !containersv1.IsFinished(r) {
			return fmt.Errorf("request %s: %+v", name, r.CommonStatus())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !meta.IsStatusConditionTrue(r.CommonStatus().Conditions, containersv1.ConditionComplete) {
		return fmt.Errorf("request %s: %w: %s", name, errFailed, r.CommonStatus().Message)
	}
	if result := r.CommonStatus().Result; result != nil {
		return u.remove(ctx, result)
	}
	return nil
}

// removeOld removes what a request left when an outage interrupted its user.
func (u *user) removeOld(ctx context.Context, path string) error {
	u.engine.gate.RLock()
	defer u.engine.gate.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return u.engine.removeAny(ctx, path)
}

// remove deletes the resource that came of a request, and waits until it is gone.
func (u *user) remove(ctx context.Context, result *containersv1.RequestResult) error {
	mirror, ok := containersv1.NewMirror(result.Kind).(client.Object)
	if !ok {
		return fmt.Errorf("a request has a result of kind %s", result.Kind)
	}
	mirror.SetName(result.Name)
	mirror.SetNamespace(appv1.DefaultNamespace)
	seen := false
	return await(ctx, "the removal of a mirror", startTimeout, func(ctx context.Context) error {
		err := u.api().Get(ctx, client.ObjectKeyFromObject(mirror), mirror)
		switch {
		case apierrors.IsNotFound(err) && seen:
			return nil
		case err != nil: // the mirror of a new object may not exist yet
			return err
		case mirror.GetDeletionTimestamp() == nil:
			seen = true
			err = u.api().Delete(ctx, mirror, client.PropagationPolicy(metav1.DeletePropagationBackground))
		}
		return errors.Join(err, fmt.Errorf("%s %s is being deleted", result.Kind, result.Name))
	})
}
