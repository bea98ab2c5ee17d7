// Package inventory finds what an instance has that a removal destroys: the containers,
// volumes and images of rdd's own engines, and the space on the disk. It needs no daemon.
// An external engine is not among them, because rdd keeps it.
//
// Reading map: inventory.go finds the engines and their data, running.go asks an engine
// that runs, stored.go reads the data of one that does not, text.go describes the result.
package inventory

import (
	"context"
	"os"
	"path/filepath"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

// Scope is what a command removes.
type Scope int

// The scopes.
const (
	// All is every file of the instance.
	All Scope = iota
	// Data is the datastore, and the data of all engines.
	Data
	// Machine is the VM.
	Machine
)

// Subject is an instance.
type Subject struct {
	Instance instance.Instance
	VM       limahost.Paths
	// Engine returns rdd's own engine if it runs.
	Engine func(context.Context) (found supervisor.FoundEngine, runs bool, err error)
}

// Contents are what an instance has.
type Contents struct {
	Stores []Store
	Usage  filetree.Usage
}

// Store is the data of one engine.
type Store struct {
	// Where is added to the description, such as "in the VM". It can be empty.
	Where string
	// The names of containers that run, of those that do not, and of those of which it
	// is not known.
	Running, Stopped, Containers []string
	Volumes                      []string
	Images                       int
	// Unread names the kinds of objects that could not be counted.
	Unread []string
	// Disk is the size of a disk whose content is not known, in bytes; 0 for none.
	Disk int64
}

// Inspect returns what the removal of the scope destroys. It returns when ctx ends, with
// what was found until then.
func (s Subject) Inspect(ctx context.Context, scope Scope) Contents {
	usage := make(chan filetree.Usage, 1)
	go func() { usage <- s.usage(ctx, scope) }()
	var h Contents
	// What runs is unknown after an error. Then the data is read from the disk.
	found, runs, err := s.Engine(ctx)
	if scope != Machine {
		isNative := runs && found.Driver == appv1.DriverNative
		h.Stores = append(h.Stores,
			s.docker(ctx, isNative && found.Engine != appv1.EngineContainerd, err == nil),
			s.containerd(isNative && found.Engine == appv1.EngineContainerd))
	}
	isMachine := runs && found.Driver == appv1.DriverLima && found.Engine != appv1.EngineContainerd
	if store, hasDisk := s.machine(ctx, isMachine); hasDisk {
		h.Stores = append(h.Stores, store)
	}
	h.Usage = <-usage
	return h
}

func (s Subject) usage(ctx context.Context, scope Scope) filetree.Usage {
	switch scope {
	case Machine:
		return usageOf(ctx, s.VM.Dir())
	case Data:
		return s.Instance.DataUsage(ctx)
	case All:
	}
	return s.Instance.Usage(ctx)
}

func usageOf(ctx context.Context, path string) (u filetree.Usage) {
	u.Add(ctx, path)
	return u
}

// docker returns the data of the Docker Engine on this machine. isKnown reports whether
// it is known what runs.
func (s Subject) docker(ctx context.Context, runs, isKnown bool) Store {
	dir := filepath.Join(s.Instance.DataDir, filename.Engine, "docker")
	if !runs {
		return stored(dir, isKnown)
	}
	store, err := running(ctx, s.Instance.DockerSocket)
	if err != nil {
		return stored(dir, false)
	}
	return store
}

// containerd returns the data of containerd on this machine.
func (s Subject) containerd(runs bool) Store {
	dir := filepath.Join(s.Instance.DataDir, filename.Engine, "containerd")
	state := ""
	if runs {
		state = filepath.Join(s.Instance.ShortDir, filename.Engine, "containerd")
	}
	return storedContainerd(dir, state)
}

// machine returns the data in the VM. runs reports whether its Docker Engine runs.
func (s Subject) machine(ctx context.Context, runs bool) (store Store, hasDisk bool) {
	if _, err := os.Stat(s.VM.Dir()); err != nil {
		return Store{}, false
	}
	if runs {
		if store, err := running(ctx, s.Instance.DockerSocket); err == nil {
			store.Where = "in the VM"
			return store, true
		}
	}
	disk := usageOf(ctx, s.VM.Disk())
	return Store{Disk: disk.Bytes}, disk.Bytes > 0
}
