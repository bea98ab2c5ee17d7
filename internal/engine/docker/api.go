package docker

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// API is the part of the Docker Engine API that rdd uses. It is safe for
// concurrent use.
//
// Every call but Events, StopContainer, RestartContainer, PullImage and PushImage needs a
// context with a deadline, which alone ends a call to an engine that hangs. Errors carry
// the engine's own words;
// engine.IsNotFound, engine.IsConflict and IsUnreachable report their class.
//
// The resources that are returned belong to the caller. They carry a name and a status.
// The mirror sets the Kubernetes namespace and the LastTransitionTime of conditions.
type API interface {
	// Connect reads the engine's version and negotiates an API version. It may be
	// called again at any time. It must be called after a broken connection: the
	// engine may have been upgraded. The other calls connect by themselves when
	// Connect was never called.
	Connect(ctx context.Context) (Info, error)

	// Ping checks that the engine answers.
	Ping(ctx context.Context) error

	// Events streams the events that can change a mirror. It begins with those that
	// the engine remembers (256 of them) from since on, inclusively; since is a time
	// by the engine's clock. It returns at once. The error channel gets exactly one
	// value when the stream has ended, also when the context ends. The event channel
	// is never closed. The engine drops events for a caller that is slow for long.
	Events(ctx context.Context, since time.Time) (<-chan Event, <-chan error)

	// List lists the objects of a kind, each once: containers in any state, dangling
	// images too, intermediate layers of builds not.
	List(ctx context.Context, kind containersv1.Kind) ([]Listed, error)
	// Inspect reads one object by ID or name, an image also by reference. An image has
	// one resource for each tag, or a single one when it has no tag.
	Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error)

	// StartContainer starts a container, and changes nothing when it runs already.
	StartContainer(ctx context.Context, id string) error
	// StopContainer stops a container, and returns when it has stopped. The engine
	// kills it after the container's own stop timeout, 10 s by default and none for
	// some. The call has a deadline of its own, and ctx needs none. It changes nothing
	// when the container is stopped already. A container gets one stop signal, also
	// when any client repeats the call while the engine still carries out the first
	// one.
	StopContainer(ctx context.Context, id string) error
	// RestartContainer restarts a container, and returns when that is done. A container
	// whose last run began after startedAt is left alone; startedAt is nil for one
	// that has never run. As with StopContainer, ctx needs no deadline, and a run gets
	// one stop signal.
	RestartContainer(ctx context.Context, id string, startedAt *metav1.MicroTime) error
	// PauseContainer freezes a container that runs.
	PauseContainer(ctx context.Context, id string) error
	// UnpauseContainer resumes a paused container.
	UnpauseContainer(ctx context.Context, id string) error
	// KillContainer kills a container that runs, and returns when it has ended.
	KillContainer(ctx context.Context, id string) error

	// Remove removes an object. A container that runs is killed first, and its
	// anonymous volumes stay. Of an image one tag is removed, and the image itself with
	// its last tag. An image without tags is removed by its ID, or reference by
	// reference when it was pulled by digest from several repositories. Removals of
	// other kinds than containers are never forced.
	Remove(ctx context.Context, kind containersv1.Kind, id string) error

	// Requested returns the identifiers of the objects of a kind whose label says that
	// they were created for a request, the oldest first.
	Requested(ctx context.Context, kind containersv1.Kind, request types.UID) ([]string, error)
	// CreateContainer creates a container for a request, connects it to the first of
	// its networks, and returns its ID.
	CreateContainer(ctx context.Context, spec containersv1.ContainerCreateRequestSpec, request types.UID) (string, error)
	// ConnectNetwork connects a container to a network.
	ConnectNetwork(ctx context.Context, network, container string) error
	// DiscardContainer removes a container that does not run, and its anonymous volumes.
	DiscardContainer(ctx context.Context, id string) error
	// CreateVolume creates a volume for a request, and returns its labels. A volume of
	// this name that exists stays as it is.
	CreateVolume(ctx context.Context, spec containersv1.VolumeCreateRequestSpec, request types.UID) (map[string]string, error)
	// CreateNetwork creates a network for a request, and returns its ID. Before API
	// 1.44, the name may be taken.
	CreateNetwork(ctx context.Context, spec containersv1.NetworkCreateRequestSpec, request types.UID) (string, error)

	// Streamer opens streams. Its errors have the classes of package engine.
	engine.Streamer

	TransferAPI

	// Close ends streams and idle connections. Running calls end with their
	// contexts; new ones fail.
	Close() error
}

// Listed is an object in a list.
type Listed struct {
	ID string
	// Tags and Digests of an image are sorted, each once, as in the status of an Image.
	Tags, Digests []string
	// Mirror is set when the list has every field of the object.
	Mirror containersv1.Mirror
}

// Info describes an engine.
type Info struct {
	// Version of the engine, such as 20.10.24.
	Version string
	// APIVersion that was negotiated, such as 1.41.
	APIVersion string
	// SystemTime is the engine's clock at the time of the call; zero when the engine
	// does not report it.
	SystemTime time.Time
}

// Actions of an Event that the engine reports as an event of another object, and
// not of the container or the volumes.
const (
	ActionNetworkConnect    = "network connect"
	ActionNetworkDisconnect = "network disconnect"
	ActionVolumeUnmount     = "volume unmount"
	ActionPlugin            = "plugin"
)

// Container actions after which rdd reads more or less than the container.
const (
	ActionCreate  = "create"
	ActionDestroy = "destroy"
	ActionExecEnd = "exec_die"
)

// Event reports that an object of the engine, or a set of objects, may have changed.
type Event struct {
	// Kind of the object: a container, an image, a volume or a network.
	Kind containersv1.Kind
	// ID as in the engine's event: a container's full ID, an image's ID or (for pull
	// and push) its reference, a volume's name, a network's ID. It is empty when the
	// event names no object: any image, volume or network may have changed.
	ID string
	// Action such as start or untag.
	Action string
	// Network is the ID of the network that a container joined or left; empty for
	// other events.
	Network string
	// Tag is the image's new tag, which any other image loses without an event.
	// It is empty for other events.
	Tag string
	// ByImageID is set for a container that was created from the ID of an image
	// and not from a name, as each step of a classic build is.
	ByImageID bool
	// Failed is set for the end of an exec with another exit code than 0. Health probes
	// are execs.
	Failed bool
}
