package tables

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
)

// watchedUse is how long the rows of watches show the same containers. A list reads the
// containers once, for all of its rows; a watch must not do so for every event.
const watchedUse = time.Second

// readTimeout limits a read that all watches wait for.
const readTimeout = 10 * time.Second

// use returns the objects that a container uses, all of one kind.
type use func(*containersv1.Container) []string

// usedObject is an object of the engine that containers use. All kinds are namespaced in
// Kubernetes and in the engine.
type usedObject struct{ namespace, engineNamespace, name string }

// users are the containers that use an object, by name, sorted.
type users map[usedObject][]string

// of returns the names of the containers that use an object.
func (u users) of(m containersv1.Mirror, engineNamespace, name string) []string {
	return u[usedObject{m.GetNamespace(), engineNamespace, name}]
}

// usages finds out which containers use the objects of a kind.
type usages struct {
	containers registry.View
	used       use
	now        func() time.Time

	mutex sync.Mutex
	// watched are the users in all namespaces at the time readAt, for the rows of watches.
	watched users
	readAt  time.Time
}

// of returns the users in the namespace of a request, or in more. It reads the containers,
// unless the request is a watch and they were read a moment ago.
func (u *usages) of(ctx context.Context) (users, error) {
	info, found := request.RequestInfoFrom(ctx)
	if !found {
		return nil, errors.New("find what containers use: the request has no information about itself")
	}
	if info.Verb != "watch" {
		return u.read(ctx, info.Namespace)
	}
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if age := u.now().Sub(u.readAt); u.watched != nil && age >= 0 && age < watchedUse {
		return u.watched, nil
	}
	// All watches share the row, so the end of this one must not fail it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	all, err := u.read(ctx, metav1.NamespaceAll)
	if err != nil {
		return nil, err
	}
	u.watched, u.readAt = all, u.now()
	return all, nil
}

// read reads all containers of a namespace.
func (u *usages) read(ctx context.Context, namespace string) (users, error) {
	list, err := u.containers.List(request.WithNamespace(ctx, namespace), &metainternalversion.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("find what containers use: %w", err)
	}
	all := users{}
	err = meta.EachListItem(list, func(obj runtime.Object) error {
		all.add(obj.(*containersv1.Container), u.used)
		return nil
	})
	all.sort()
	return all, err
}

// add adds what a container uses.
func (u users) add(c *containersv1.Container, used use) {
	for _, name := range used(c) {
		key := usedObject{c.Namespace, c.Status.Namespace, name}
		u[key] = append(u[key], c.Status.Name)
	}
}

// sort sorts the names of containers, and keeps each once.
func (u users) sort() {
	for key, names := range u {
		slices.Sort(names)
		u[key] = slices.Compact(names)
	}
}
