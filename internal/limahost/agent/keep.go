package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// A disk is deleted for one of three reasons only, each of which is written down
// somewhere: it is still being made, so that no machine ever ran on it; the user
// asked for a reset that was not carried out yet; or it never brought up an
// engine and the user has chosen another image since. That a file cannot be read,
// or is not there, is none.

// resetsFile has the resets that were carried out. It outlives the disks, so
// that a wish of long ago that comes back, with an App from a backup or with a
// new datastore, costs no disk.
func resetsFile(p limahost.Paths) string { return filepath.Join(p.LimaHome, "resets.json") }

// existing returns what the VM's disk was made from, and its size in bytes; nil
// when there is none, or one that is to be replaced.
func (a *agent) existing() (*record, int64, error) {
	disk := a.paths.Disk()
	switch _, err := os.Lstat(disk); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, nil
	case err != nil:
		return nil, 0, keeping(err)
	}
	replaced, err := a.replaced()
	if err != nil || replaced {
		return nil, 0, keeping(err)
	}
	rec, found, err := loadRecord(a.paths)
	if err == nil && !found {
		err = fmt.Errorf("%s is not there", a.paths.Record())
	}
	if err != nil {
		return nil, 0, keeping(err)
	}
	size, err := diskSize(disk)
	if err != nil {
		return nil, 0, keeping(err)
	}
	return &rec, size, nil
}

// keeping says what to do about a VM of which too little is known.
func keeping(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the VM has a disk, and what it was made from cannot be read: %w; mend that, or let 'rdd vm reset' make a new disk (images, containers and volumes in the VM go)", err)
}

// replaced is whether the disk goes: it is still being made, or a reset was
// asked for that was not carried out yet.
func (a *agent) replaced() (bool, error) {
	switch _, err := os.Lstat(a.paths.Making()); {
	case err == nil:
		return true, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	if a.cfg.Spec.Reset == "" {
		return false, nil
	}
	done, err := a.resets()
	return err == nil && !slices.Contains(done, a.cfg.Spec.Reset), err
}

func (a *agent) resets() (done []string, err error) {
	_, err = limahost.Load(resetsFile(a.paths), &done)
	return done, err
}

// beginMaking is called before anything of an old VM is touched.
func (a *agent) beginMaking() error {
	if err := limahost.Save(a.paths.Making(), "this VM is being made"); err != nil {
		return fmt.Errorf("begin to make the VM: %w", err)
	}
	return nil
}

// endMaking is called before the machine is started: from here on the disk is
// the user's.
func (a *agent) endMaking() error {
	if token := a.cfg.Spec.Reset; token != "" {
		done, err := a.resets()
		if err != nil {
			return err
		}
		if !slices.Contains(done, token) {
			if err := limahost.Save(resetsFile(a.paths), append(done, token)); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(a.paths.Making()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end to make the VM: %w", err)
	}
	return nil
}
