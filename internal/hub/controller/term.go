package controller

import (
	"context"
	"fmt"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// term is the time during which a controller leads. What it has seen before does not count.
type term struct {
	*controller
	informers cache.Cache
	memory    *memory
	loop      *loop
}

// lead does the work of the leader until ctx ends, and returns when no act runs any more.
func (c *controller) lead(ctx context.Context) error {
	t := &term{controller: c, memory: newMemory()}
	t.loop = newLoop(t, t.memory, c.Logger)
	ofMachine, err := labels.Parse(hubv1.MachineLabel)
	if err != nil {
		return fmt.Errorf("prepare the informers: %w", err)
	}
	t.informers, err = cache.New(c.REST, cache.Options{
		Scheme: c.client.Scheme(), Mapper: c.client.RESTMapper(),
		ByObject: map[client.Object]cache.ByObject{
			// The managed fields of a Lease have the time of its renewal.
			&coordinationv1.Lease{}: {Field: fields.OneTermEqualSelector(metav1.ObjectNameField, hubv1.LeaseName)},
			&hubv1.Machine{}:        {Transform: cache.TransformStripManagedFields()},
			namespace(""):           {Label: ofMachine, Transform: cache.TransformStripManagedFields()},
		},
	})
	if err != nil {
		return fmt.Errorf("prepare the informers: %w", err)
	}
	registrations, err := t.subscribe(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var informing sync.WaitGroup
	defer informing.Wait()
	defer cancel()
	informing.Go(func() {
		defer cancel() // without informers, the next term begins
		if err := t.informers.Start(ctx); err != nil {
			c.Logger.Warn("the informers have failed", "err", err)
		}
	})
	for _, r := range registrations {
		if !toolscache.WaitForCacheSync(ctx.Done(), r.HasSynced) {
			return nil
		}
	}
	if err := t.findRemains(ctx); err != nil {
		return err
	}
	t.loop.run(ctx)
	return nil
}

// subscribe notes every change of a machine, its Lease and its namespace.
func (t *term) subscribe(ctx context.Context) ([]toolscache.ResourceEventHandlerRegistration, error) {
	changed := func(obj client.Object) { t.loop.changed(obj.GetName()) }
	handlers := map[client.Object]toolscache.ResourceEventHandler{
		&coordinationv1.Lease{}: toolscache.ResourceEventHandlerDetailedFuncs{
			AddFunc:    func(obj any, isInitial bool) { t.leaseChanged(obj, isInitial) },
			UpdateFunc: func(_, obj any) { t.leaseChanged(obj, false) },
			DeleteFunc: func(obj any) {
				on(obj, func(lease *coordinationv1.Lease) {
					t.memory.observe(lease.Namespace, nil, false)
					t.loop.changed(lease.Namespace)
				})
			},
		},
		&hubv1.Machine{}: toolscache.ResourceEventHandlerFuncs{
			AddFunc: func(obj any) {
				on(obj, func(machine client.Object) {
					t.memory.deleted(machine.GetName(), false)
					changed(machine)
				})
			},
			UpdateFunc: func(_, obj any) { on(obj, changed) },
			DeleteFunc: func(obj any) {
				on(obj, func(machine client.Object) {
					t.memory.deleted(machine.GetName(), true)
					changed(machine)
				})
			},
		},
		namespace(""): toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { on(obj, changed) },
			UpdateFunc: func(_, obj any) { on(obj, changed) },
			DeleteFunc: func(obj any) { on(obj, changed) },
		},
	}
	var registrations []toolscache.ResourceEventHandlerRegistration
	for obj, handler := range handlers {
		informer, err := t.informers.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("create an informer for %T: %w", obj, err)
		}
		r, err := informer.AddEventHandler(handler)
		if err != nil {
			return nil, fmt.Errorf("subscribe to the informer for %T: %w", obj, err)
		}
		registrations = append(registrations, r)
	}
	return registrations, nil
}

// on calls do with the object of an event. The informer may know only the last state of a
// deleted one.
func on[T client.Object](obj any, do func(T)) {
	if last, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = last.Obj
	}
	if o, ok := obj.(T); ok {
		do(o)
	}
}

func (t *term) leaseChanged(obj any, isInitial bool) {
	on(obj, func(lease *coordinationv1.Lease) {
		t.memory.observe(lease.Namespace, lease, isInitial)
		t.loop.changed(lease.Namespace)
	})
}

// facts implements hub.
func (t *term) facts(ctx context.Context, name string) (facts, error) {
	f := facts{staleAfter: hubv1.DefaultStaleAfter, removeAfter: hubv1.DefaultRemoveAfter, hubTime: t.clock.Now()}
	machine := &hubv1.Machine{}
	err := t.informers.Get(ctx, client.ObjectKey{Name: name}, machine)
	if client.IgnoreNotFound(err) != nil {
		return f, fmt.Errorf("read Machine %s: %w", name, err)
	}
	if f.hasMachine = err == nil && machine.DeletionTimestamp == nil; f.hasMachine {
		if d := machine.Spec.StaleAfter; d != nil {
			f.staleAfter = d.Duration
		}
		if d := machine.Spec.RemoveAfter; d != nil {
			f.removeAfter = d.Duration
		}
		f.machine = machine
		f.ready = meta.FindStatusCondition(machine.Status.Conditions, hubv1.ConditionReady)
	}
	of := namespace(name)
	err = t.informers.Get(ctx, client.ObjectKey{Name: name}, of)
	if client.IgnoreNotFound(err) != nil {
		return f, fmt.Errorf("read namespace %s: %w", name, err)
	}
	f.hasNamespace = err == nil && isOwn(of)
	f.isMarked = f.hasNamespace && isMarked(of)
	return f, nil
}

// confirm reads the Lease of a machine, and returns errChanged unless it is that of the
// reading. The informers may lag behind, or be cut off.
func (t *term) confirm(ctx context.Context, name string, of reading) error {
	lease := &coordinationv1.Lease{}
	err := t.client.Get(ctx, client.ObjectKey{Namespace: name, Name: hubv1.LeaseName}, lease)
	switch {
	case apierrors.IsNotFound(err):
		lease = nil
	case err != nil:
		return fmt.Errorf("read the Lease of machine %s: %w", name, err)
	}
	if recordOf(lease) == of.record {
		return nil
	}
	t.memory.observe(name, lease, false)
	return errChanged
}

// namespace returns an empty object for the metadata of a namespace.
func namespace(name string) *metav1.PartialObjectMetadata {
	n := &metav1.PartialObjectMetadata{}
	n.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	n.Name = name
	return n
}

func namespaces() *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	return list
}

func ofMachines() client.ListOption { return client.HasLabels{hubv1.MachineLabel} }

func leaseOfMachine() client.ListOption {
	return client.MatchingFields{metav1.ObjectNameField: hubv1.LeaseName}
}

// isOwn reports whether a namespace is that of the machine of the same name, and stays.
func isOwn(n *metav1.PartialObjectMetadata) bool {
	return n.Labels[hubv1.MachineLabel] == n.Name && n.DeletionTimestamp == nil
}
