package instance

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Remove removes every file of the instance. It does nothing for an instance that
// does not exist. The daemon and the engine must be stopped before. If the user
// replaced a directory by a link, Remove removes the link and rdd's files at its
// target. left are the paths that remain there.
func (i Instance) Remove() (left []string, err error) {
	return i.remove(true, i.allPlaces())
}

// RemoveData removes the datastore and the data of the engine, and keeps certificates,
// arguments and logs. It keeps links to other disks and other files at their targets.
func (i Instance) RemoveData() error {
	_, err := i.remove(false, i.dataPlaces())
	return err
}

// CheckRemovable returns the error with which Remove would refuse: a directory or link
// of another user or instance, or a mount. It ignores mounts in the engine's
// directories: stopping the engine unmounts the engine's own ones and checks the rest.
func (i Instance) CheckRemovable() error {
	if err := i.checkOwner(); err != nil {
		return err
	}
	data := filetree.Resolve(filepath.Join(i.DataDir, filename.Engine))
	runtime := filetree.Resolve(filepath.Join(i.ShortDir, filename.Engine))
	for _, p := range i.allPlaces() {
		err := p.Check()
		if mounted, ok := errors.AsType[*filetree.MountedError](err); ok {
			mounted.Mounts = slices.DeleteFunc(mounted.Mounts, func(m filetree.Mount) bool {
				return filetree.IsBelow(m.Point, data) || filetree.IsBelow(m.Point, runtime)
			})
			if len(mounted.Mounts) == 0 {
				continue
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove checks all places before it removes anything.
func (i Instance) remove(links bool, places []Place) (left []string, err error) {
	if err := i.checkOwner(); err != nil {
		return nil, err
	}
	for _, p := range places {
		if err := p.Check(); err != nil {
			return nil, err
		}
	}
	var errs []error
	for _, p := range places {
		more, err := p.remove(links)
		left, errs = append(left, more...), append(errs, err)
	}
	// A directory is not listed in addition to its contents.
	left = slices.DeleteFunc(left, func(dir string) bool {
		return slices.ContainsFunc(left, func(path string) bool { return path != dir && filetree.IsBelow(path, dir) })
	})
	return left, errors.Join(errs...)
}
