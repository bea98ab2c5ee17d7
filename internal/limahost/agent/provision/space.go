package provision

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// checkSpace fails when there is not enough space for the new disk of a plan. The
// space of the old VM counts as free, because the old VM is removed first.
func (p *Provisioner) checkSpace(plan Plan) error {
	if plan.HasDisk {
		return nil
	}
	freeSpace := filetree.FreeSpace
	if p.FreeSpace != nil {
		freeSpace = p.FreeSpace
	}
	dir := p.Paths.LimaHome
	free, err := freeSpace(dir)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		// The directory will be created below one that exists.
		dir = filepath.Dir(dir)
		free, err = freeSpace(dir)
	}
	if err != nil {
		return fmt.Errorf("check the space for the VM in %s: %w", dir, err)
	}
	free += allocated(p.Paths.Dir())
	if need := plan.Image.Needs(); free < need {
		return fmt.Errorf("there is not enough space for the VM in %s: %s are needed at once, %s are free: delete what you do not need there",
			dir, limahost.FormatBytes(need), limahost.FormatBytes(free))
	}
	return nil
}

// allocated returns how many bytes of its file system a directory occupies. Files
// that cannot be read count as empty.
func allocated(dir string) (total int64) {
	const block = 512 // the unit of st_blocks on every file system
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // See above.
		}
		if info, err := e.Info(); err == nil {
			if s, ok := info.Sys().(*syscall.Stat_t); ok {
				total += s.Blocks * block
			}
		}
		return nil
	})
	return total
}
