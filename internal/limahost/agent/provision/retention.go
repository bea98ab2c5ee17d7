package provision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
)

// diskRetention is the decision whether a VM's disk is kept. There are three reasons to
// delete a disk, and each needs evidence in a file. A missing or unreadable file is
// never a reason.
//
//   - The disk is still being made, so that no machine ever ran on it.
//   - The user requested a reset that was not done yet.
//   - No engine was ever ready on it, and the user has chosen another image. Plan
//     applies this one.
type diskRetention int

const (
	noDisk diskRetention = iota
	keepDisk
	replaceDisk
)

// resetsFile has the tokens of finished resets. It is kept with every new disk, so that
// an old token from a backup of the App does not delete a disk.
func resetsFile(p limahost.Paths) string { return filepath.Join(p.LimaHome, filename.Resets) }

// retention decides whether the VM's disk is kept.
func (p *Provisioner) retention() (diskRetention, error) {
	switch _, err := os.Lstat(p.Paths.Disk()); {
	case errors.Is(err, fs.ErrNotExist):
		return noDisk, nil
	case err != nil:
		return keepDisk, err
	}
	switch _, err := os.Lstat(p.Paths.Making()); {
	case err == nil:
		return replaceDisk, nil
	case !errors.Is(err, fs.ErrNotExist):
		return keepDisk, err
	}
	if p.Spec.Reset == "" {
		return keepDisk, nil
	}
	finished, err := p.finishedResets()
	if err != nil || slices.Contains(finished, p.Spec.Reset) {
		return keepDisk, err
	}
	return replaceDisk, nil
}

// existingDisk returns the record of the disk that is kept, and its size in bytes.
// The record is nil when a new disk is to be made.
func (p *Provisioner) existingDisk() (*record.Record, int64, error) {
	decision, err := p.retention()
	if err != nil {
		return nil, 0, unknownDisk(err)
	}
	if decision != keepDisk {
		return nil, 0, nil
	}
	rec, found, err := record.Load(p.Paths)
	if err == nil && !found {
		err = fmt.Errorf("%s does not exist", p.Paths.Record())
	}
	if err != nil {
		return nil, 0, unknownDisk(err)
	}
	size, err := diskSize(p.Paths.Disk())
	if err != nil {
		return nil, 0, unknownDisk(err)
	}
	return &rec, size, nil
}

// unknownDisk adds the next step to an error about a disk that is kept.
func unknownDisk(err error) error {
	return fmt.Errorf("read what the VM's disk was made from: %w: fix the cause, or make a new disk with 'rdd vm reset' (it deletes images, containers and volumes in the VM)", err)
}

func (p *Provisioner) finishedResets() (tokens []string, err error) {
	_, err = limahost.Load(resetsFile(p.Paths), &tokens)
	return tokens, err
}

// beginMaking marks the VM as incomplete. It is called before the old VM is touched.
func (p *Provisioner) beginMaking() error {
	if err := limahost.Save(p.Paths.Making(), "this VM is being made"); err != nil {
		return fmt.Errorf("mark the VM as incomplete: %w", err)
	}
	return nil
}

// endMaking records a finished reset and marks the VM as complete. It is called
// before the machine starts, since the disk has the user's data afterwards.
func (p *Provisioner) endMaking() error {
	if token := p.Spec.Reset; token != "" {
		finished, err := p.finishedResets()
		if err != nil {
			return err
		}
		if !slices.Contains(finished, token) {
			if err := limahost.Save(resetsFile(p.Paths), append(finished, token)); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(p.Paths.Making()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("mark the VM as complete: %w", err)
	}
	return nil
}
