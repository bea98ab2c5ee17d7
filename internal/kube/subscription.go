package kube

import (
	"context"
	"fmt"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Event is an event of a subscription: one of the types below. Its object belongs to
// the informer and must not be changed.
//
//sumtype:decl
type Event interface{ isEvent() }

// Changed reports an object that was added or changed.
type Changed struct{ Object client.Object }

// Removed reports a removed object, in its last known state.
type Removed struct{ Object client.Object }

// Synced reports, once, that the subscription has delivered every object that existed
// when it began.
type Synced struct{}

func (Changed) isEvent() {}
func (Removed) isEvent() {}
func (Synced) isEvent()  {}

// Subscribe delivers to sink every object of the kinds of objects, and each later
// change, until ctx ends. It returns at once. Calls of sink come from several
// goroutines, in order for each kind; a few can come after the end of ctx.
func (i *Informers) Subscribe(ctx context.Context, sink func(Event), objects ...client.Object) error {
	registrations := make([]toolscache.ResourceEventHandlerRegistration, len(objects))
	for n, obj := range objects {
		informer, err := i.cache.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("create an informer for %T: %w", obj, err)
		}
		if registrations[n], err = register(ctx, informer, sink); err != nil {
			return fmt.Errorf("subscribe to the informer for %T: %w", obj, err)
		}
	}
	go func() {
		for _, r := range registrations {
			select {
			case <-r.HasSyncedChecker().Done():
			case <-ctx.Done():
				return
			}
		}
		sink(Synced{})
	}()
	return nil
}

// handlers is the part of an informer that a subscription uses.
type handlers interface {
	AddEventHandler(handler toolscache.ResourceEventHandler) (toolscache.ResourceEventHandlerRegistration, error)
	RemoveEventHandler(handle toolscache.ResourceEventHandlerRegistration) error
}

// register makes an informer call sink until ctx ends.
func register(ctx context.Context, informer handlers, sink func(Event)) (toolscache.ResourceEventHandlerRegistration, error) {
	registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { sink(Changed{o.(client.Object)}) },
		UpdateFunc: func(_, o any) { sink(Changed{o.(client.Object)}) },
		DeleteFunc: func(o any) {
			if last, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			sink(Removed{o.(client.Object)})
		},
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = informer.RemoveEventHandler(registration) })
	return registration, nil
}
