package memory

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Change reports that an object has changed.
type Change struct {
	Kind containersv1.Kind
	// ID of a container, an image or a network, or the name of a volume.
	ID string
	// Mirrors of the object from now on. There is none after its removal, and
	// while the engine hides an image.
	Mirrors []containersv1.Mirror
	// Unreported is set when no event reports the change.
	Unreported bool
}

// Observe sets a function that is called with each change, before any other call
// sees it. The function must not call the engine.
func (e *Engine) Observe(observer func(Change)) {
	defer e.lock()()
	e.observer = observer
}

// lock locks the model. The function that it returns reports what has changed, and
// unlocks it.
func (e *Engine) lock() (unlock func()) {
	e.mu.Lock()
	return func() {
		defer e.mu.Unlock()
		if e.observer != nil || len(e.feeds) > 0 {
			for _, change := range e.changes {
				change.Mirrors = e.mirrors(change.Kind, change.ID)
				e.publish(change)
			}
		}
		e.changes = e.changes[:0]
	}
}

// publish hands a change to the observer and to the watches.
func (e *Engine) publish(change Change) {
	if e.observer != nil {
		e.observer(change)
	}
	for f := range e.feeds {
		f.changes = append(f.changes, feedChange{change, time.Now()})
		f.wake()
	}
}

func (e *Engine) changed(kind containersv1.Kind, id string) {
	e.changes = append(e.changes, Change{Kind: kind, ID: id})
}

func (e *Engine) changedContainer(c *Container) { e.changed(containersv1.KindContainer, c.ID) }

// changedUnreported marks a change of a container that no event reports.
func (e *Engine) changedUnreported(c *Container) {
	e.changes = append(e.changes, Change{Kind: containersv1.KindContainer, ID: c.ID, Unreported: true})
}
