package kube

import (
	"context"
	"errors"
	"sync"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// listener tells a handler what one informer learns. It remembers what it told,
// because a removal that waits in a registration goes down with it.
type listener struct {
	informer     toolscache.SharedInformer
	handler      Handler
	registration toolscache.ResourceEventHandlerRegistration

	// mu guards the rest, and keeps the handler's calls in order.
	mu sync.Mutex
	// known is what the handler has, with the round in which it was told last.
	known map[client.ObjectKey]known
	round int
}

type known struct {
	object client.Object
	round  int
}

func listen(informer cache.Informer, handler Handler) (*listener, error) {
	shared, ok := informer.(toolscache.SharedInformer)
	if !ok {
		return nil, errors.New("no listener of it can be waited for")
	}
	l := &listener{informer: shared, handler: handler, known: map[client.ObjectKey]known{}}
	return l, l.register()
}

func (l *listener) register() (err error) {
	l.registration, err = l.informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    l.changed,
		UpdateFunc: func(_, o any) { l.changed(o) },
		DeleteFunc: func(o any) {
			if last, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			l.removed(o)
		},
	})
	return err
}

// told waits until the handler was told all that was there when the listener
// registered.
func (l *listener) told(ctx context.Context) error {
	select {
	case <-l.registration.HasSyncedChecker().Done():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// replay tells the handler of every object again, and of the end of those that
// it was told of and that are gone.
func (l *listener) replay(ctx context.Context) error {
	// What the former registration still had to say is in what the new one says,
	// but for removals; none of it may come after that.
	if err := toolscache.ShutDownEventHandler(l.informer, l.registration); err != nil {
		return err
	}
	l.mu.Lock()
	l.round++
	l.mu.Unlock()
	if err := l.register(); err != nil {
		return err
	}
	if err := l.told(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, k := range l.known {
		if k.round != l.round {
			delete(l.known, key)
			l.handler.Removed(k.object)
		}
	}
	return nil
}

func (l *listener) changed(o any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	obj := o.(client.Object)
	l.known[client.ObjectKeyFromObject(obj)] = known{object: obj, round: l.round}
	l.handler.Changed(obj)
}

func (l *listener) removed(o any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	obj := o.(client.Object)
	delete(l.known, client.ObjectKeyFromObject(obj))
	l.handler.Removed(obj)
}
