package main

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// patched is the number of volumes whose labels are patched.
const patched = 10

// user is a user of the API of one daemon, with objects of its own.
type user struct {
	*daemon

	engine *engine
	// Containers for desired states, for actions, and for streams.
	state, acted, talker string
}

// users creates the objects of the user of a daemon, and returns the user's tasks.
func (s *soak) users(ctx context.Context, d *daemon) ([]task, error) {
	u := &user{daemon: d, engine: s.engine}
	var err error
	for _, c := range []struct {
		id      *string
		name    string
		program []string
	}{{&u.state, "state", sleeping()}, {&u.acted, "acted", sleeping()}, {&u.talker, "talker", talking()}} {
		if *c.id, err = s.engine.run(ctx, c.name+"-"+d.name, c.program...); err != nil {
			return nil, err
		}
	}
	for i := range patched {
		if err := s.engine.CreateVolume(ctx, u.volume(i)); err != nil {
			return nil, err
		}
	}
	tasks := []task{
		{name: "patch", every: 500 * time.Millisecond, do: u.counted(u.patch)},
		{name: "spec.state", every: 10 * time.Second, do: u.changeState},
		{name: "action", every: 10 * time.Second, do: u.counted(u.act)},
		{name: "list", every: 10 * time.Second, do: u.list},
	}
	tasks = append(tasks, u.requests()...)
	tasks = append(tasks, u.streams()...)
	for i := range tasks {
		tasks[i].name += ", " + d.name
		tasks[i].outages = &d.outages
	}
	return tasks, nil
}

// counted passes the number of a call, from 0.
func (u *user) counted(do func(ctx context.Context, n int) error) func(context.Context) error {
	n := 0
	return func(ctx context.Context) error {
		defer func() { n++ }()
		return do(ctx, n)
	}
}

func (u *user) volume(i int) string { return fmt.Sprintf("kept-%s-%d", u.name, i%patched) }

// patch changes a label of a volume.
func (u *user) patch(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	v := &containersv1.Volume{ObjectMeta: metav1.ObjectMeta{Name: containersv1.VolumeResourceName(u.volume(n)), Namespace: appv1.DefaultNamespace}}
	return u.api().Patch(ctx, v, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"labels":{"example.com/patch":"%d"}}}`, n)))
}

// list lists what a dashboard shows.
func (u *user) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for _, all := range []client.ObjectList{&containersv1.ContainerList{}, &containersv1.ImageList{}, &containersv1.VolumeList{}} {
		if err := u.api().List(ctx, all, client.InNamespace(appv1.DefaultNamespace)); err != nil {
			return err
		}
	}
	return nil
}

// container reads a container.
func (u *user) container(ctx context.Context, id string) (*containersv1.Container, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	c := &containersv1.Container{}
	return c, u.api().Get(ctx, client.ObjectKey{Namespace: appv1.DefaultNamespace, Name: id}, c)
}

// patchContainer changes a container, and returns the new one.
func (u *user) patchContainer(ctx context.Context, id, patch string) (*containersv1.Container, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	c := &containersv1.Container{ObjectMeta: metav1.ObjectMeta{Name: id, Namespace: appv1.DefaultNamespace}}
	return c, u.api().Patch(ctx, c, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// awaitContainer waits until a container is as done says.
func (u *user) awaitContainer(ctx context.Context, id, what string, done func(*containersv1.Container) bool) (last *containersv1.Container, err error) {
	err = await(ctx, what, startTimeout, func(ctx context.Context) error {
		if last, err = u.container(ctx, id); err != nil && !apierrors.IsServiceUnavailable(err) {
			return err
		}
		if !done(last) {
			return fmt.Errorf("container %s: spec %+v, generation %d, status %+v", last.Name, last.Spec, last.Generation, last.Status)
		}
		return nil
	})
	return last, err
}

// changeState starts or stops a container by its desired state, and waits until that was
// applied.
func (u *user) changeState(ctx context.Context) error {
	c, err := u.container(ctx, u.state)
	if err != nil {
		return err
	}
	next := containersv1.StateCreated
	if c.Spec.State == containersv1.StateCreated {
		next = containersv1.StateRunning
	}
	if c, err = u.patchContainer(ctx, u.state, fmt.Sprintf(`{"spec":{"state":%q}}`, next)); err != nil {
		return err
	}
	generation := c.Generation
	_, err = u.awaitContainer(ctx, u.state, "the desired state", func(c *containersv1.Container) bool {
		return c.Status.ObservedGeneration >= generation && (c.Status.Status == containersv1.ContainerRunning) == (next == containersv1.StateRunning)
	})
	return err
}

// act requests an action that fits the state of the container, and waits for its outcome.
func (u *user) act(ctx context.Context, n int) error {
	idle := func(c *containersv1.Container) bool {
		return c.Annotations[containersv1.ActionAnnotation] == "" && c.RunningAction() == nil
	}
	c, err := u.awaitContainer(ctx, u.acted, "the end of an earlier action", idle)
	if err != nil {
		return err
	}
	var word containersv1.Action
	switch c.Status.Status {
	case containersv1.ContainerRunning:
		word = []containersv1.Action{containersv1.ActionRestart, containersv1.ActionPause, containersv1.ActionKill, containersv1.ActionStop}[n%4]
	case containersv1.ContainerPaused:
		word = containersv1.ActionUnpause
	default:
		word = containersv1.ActionStart
	}
	before := c.Status.LastAction
	if _, err := u.patchContainer(ctx, u.acted, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, containersv1.ActionAnnotation, word)); err != nil {
		return err
	}
	c, err = u.awaitContainer(ctx, u.acted, "the end of an action", func(c *containersv1.Container) bool {
		return idle(c) && c.Status.LastAction != nil && (before == nil || !c.Status.LastAction.ObservedAt.Equal(&before.ObservedAt))
	})
	if err == nil && c.Status.LastAction.State != containersv1.ActionSucceeded {
		err = fmt.Errorf("action %s: %w: %s", word, errFailed, c.Status.LastAction.Error)
	}
	return err
}
