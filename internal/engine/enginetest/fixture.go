package enginetest

import "time"

// Fixture prepares an engine from outside, as another client of it does. A method
// fails the test when the engine refuses.
type Fixture interface {
	// CreateContainer returns the full ID of a new container.
	CreateContainer(Container) (id string)
	// StartContainer returns when the container handles signals, or waits for its
	// restart.
	StartContainer(id string)
	StopContainer(id string)
	KillContainer(id string)
	PauseContainer(id string)
	UnpauseContainer(id string)
	RenameContainer(id, name string)
	// RemoveContainer also removes one that runs.
	RemoveContainer(id string)
	// CommitContainer returns the ID of a new image without a tag.
	CommitContainer(id string) (image string)
	// SetHealth makes the probes of a container with a health check succeed or fail from
	// now on, with this output. It returns when the health has that status.
	SetHealth(id string, healthy bool, output string)
	// StopSignals returns how many stop signals the container got.
	StopSignals(id string) int

	// ImportImage returns the ID of a new image that can run.
	ImportImage(tags ...string) (id string)
	// SaveImage returns an archive of the image that has the tag.
	SaveImage(tag string) (archive []byte)
	// LoadImage adds an image from an archive, and moves the tag to it.
	LoadImage(archive []byte)
	// ImageID returns the ID of the image that has the tag.
	ImageID(tag string) string
	TagImage(image, tag string)
	// RemoveImage removes a tag, or the image of an ID.
	RemoveImage(ref string)

	CreateVolume(name string)
	RemoveVolume(name string)
	// PruneVolumes removes every volume that no container uses.
	PruneVolumes()

	// CreateNetwork returns the ID of a new network.
	CreateNetwork(name string) (id string)
	RemoveNetwork(id string)
	// PruneNetworks removes every network that no container uses.
	PruneNetworks()
	ConnectNetwork(network, container string)
	DisconnectNetwork(network, container string)

	TransferFixture

	// StopEngine makes the engine stop listening; its containers end. StartEngine
	// ends that.
	StopEngine()
	StartEngine()
}

// HealthRetries is how many probes in a row must fail until a container is unhealthy.
const HealthRetries = 2

// Container describes a container to create.
type Container struct {
	Name, Image string
	// Network by name; none by default.
	Network string
	// Volumes by name. An empty name is an anonymous volume.
	Volumes []string
	// StopDelay is how long the process takes to end after a stop signal.
	StopDelay time.Duration
	// FailsToStart makes each start fail, because the program is missing.
	FailsToStart bool
	// Crashes makes the process end at once, after which it is restarted: most of the
	// time the container is restarting.
	Crashes bool
	// AutoRemove removes the container when it ends.
	AutoRemove bool
	// Probed gives the container a health check, of which HealthRetries probes in a row
	// must fail.
	Probed bool
	// Labels of the container.
	Labels map[string]string
	// Script is what a shell runs as the main process. Its commands are those of the
	// shell in package memory, with /bin/busybox before programs.
	Script string
	// TTY gives the main process a terminal, OpenStdin an input.
	TTY, OpenStdin bool
}
