package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkSpace fails when there is not enough space for the new disk of a plan.
// What an old VM takes up counts as free, since that is removed first.
func (a *agent) checkSpace(pl plan) error {
	if pl.keep {
		return nil
	}
	look := freeSpace
	if a.freeSpace != nil {
		look = a.freeSpace
	}
	dir := a.paths.LimaHome
	free, err := look(dir)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		// It will be made below what is there.
		dir = filepath.Dir(dir)
		free, err = look(dir)
	}
	if err != nil {
		return fmt.Errorf("look for space for the VM in %s: %w", dir, err)
	}
	free += takenUp(a.paths.Dir())
	if need := pl.image.Needs(); free < need {
		return fmt.Errorf("there is not enough space for the VM in %s: %s are needed at once, %s are free", dir, bytes(need), bytes(free))
	}
	return nil
}

// takenUp returns how many bytes of its file system a directory takes up. What
// cannot be read counts as nothing.
func takenUp(dir string) (total int64) {
	const block = 512 // the unit of st_blocks, whatever the file system's is
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

// freeSpace returns how many bytes are free in dir for this user.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // Its type differs on macOS.
}
