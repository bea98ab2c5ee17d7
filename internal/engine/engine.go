package engine

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Engine is a container engine. It is safe for concurrent use.
//
// Errors carry the engine's own words, because users read them in a condition.
// IsNotFound, IsConflict and IsUnreachable report their class.
//
// Mirrors that are returned or reported belong to the caller. They carry a name and
// a status; the Kubernetes namespace and the transition times of conditions are the
// caller's to set.
type Engine interface {
	// Watch connects, lists every object, then follows the engine, and reports to
	// sink what it reads. The calls of sink are made one at a time; the first one
	// reports Connected. A full sync, the first of which follows at once, reports
	// Listed, an Object for each mirror, and Synced. Later an Object or a Gone
	// reports each change; full syncs are repeated.
	//
	// Known are the mirrors of the objects as they were last read. Watch need not
	// read again what a list shows to be unchanged.
	//
	// Watch returns an error when the connection is lost, when the engine stops
	// answering, or when ctx ends. A failure to read one object does not end it:
	// the object is retried with back-off.
	Watch(ctx context.Context, known []containersv1.Mirror, sink func(Event)) error

	// Get reads one object. An image with a tag is found only while the tag still
	// belongs to the image of that ID. The context needs a deadline.
	Get(ctx context.Context, key Key) (containersv1.Mirror, error)

	// Do applies a verb to an object, and returns when that is done. A stop takes as
	// long as the container's stop timeout; Do bounds it, so that ctx needs no
	// deadline for it. Other verbs need one.
	Do(ctx context.Context, key Key, verb Verb) error

	// Restart restarts a container, and returns when that is done. startedAt is when
	// its last run began, nil if it has never run. A container that has started since
	// is left alone, so that a repeated call restarts a container once. One that does
	// not run starts. As with VerbStop, a container gets one stop signal, and ctx
	// needs no deadline.
	Restart(ctx context.Context, key Key, startedAt *metav1.MicroTime) error

	Creator
	Streamer

	// Close closes idle connections, and ends watches and streams. Later calls fail.
	Close() error

	Transferrer
}

// Verb is a change of one object.
type Verb string

// The verbs.
const (
	// VerbStart starts a container; a paused one continues, and one that runs is left
	// alone.
	VerbStart Verb = "start"
	// VerbStop stops a container, also a paused one. It gets one stop signal, even
	// when the call is repeated while the engine still carries out the first one. One
	// that does not run is left alone.
	VerbStop Verb = "stop"
	// VerbPause freezes the processes of a container. The engine refuses it unless the
	// container runs.
	VerbPause Verb = "pause"
	// VerbUnpause ends a pause. The engine refuses it unless the container is paused.
	VerbUnpause Verb = "unpause"
	// VerbKill kills the processes of a container, also of a paused one. The engine
	// refuses it unless the container runs.
	VerbKill Verb = "kill"
	// VerbRemove removes an object. A running container is killed first, and its
	// anonymous volumes stay. Of an image one tag is removed, and the image with
	// its last tag. Removals of images, volumes and networks are never forced.
	VerbRemove Verb = "remove"
)
