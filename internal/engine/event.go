package engine

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Event is what a watch reports: one of the types of this file.
//
//sumtype:decl
type Event interface{ isEvent() }

// Connected reports that the engine answers and that its events are followed.
type Connected struct {
	// Version of the engine, such as 20.10.24.
	Version string
	// APIVersion that was negotiated, such as 1.41.
	APIVersion string
}

// Listed reports, at the beginning of a full sync, how many objects the engine has.
type Listed struct {
	Counts map[containersv1.Kind]int
}

// Object reports an object as it was read.
type Object struct {
	Mirror containersv1.Mirror
	// AsOf is when the reading began, on the clock of this process. The reading
	// that began last counts.
	AsOf time.Time
}

// Gone reports that the engine does not have an object.
type Gone struct {
	Key  Key
	AsOf time.Time
}

// Synced reports that a full sync has read everything.
type Synced struct {
	// AsOf is when the sync began: what was not reported since is gone.
	AsOf time.Time
	// Unread are objects that are listed but could not be read. They are retried,
	// and their mirrors stay as they are. The key of an image has no tag: it stands
	// for all of them.
	Unread []Key
	// Unlisted are the kinds that the engine refused to list, with its words. They are
	// listed again, and their mirrors stay as they are.
	Unlisted map[containersv1.Kind]error
}

func (Connected) isEvent() {}
func (Listed) isEvent()    {}
func (Object) isEvent()    {}
func (Gone) isEvent()      {}
func (Synced) isEvent()    {}
