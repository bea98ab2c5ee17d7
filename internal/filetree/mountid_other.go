//go:build !linux

package filetree

import (
	"os"

	"golang.org/x/sys/unix"
)

// mountID is the device number, since this system has no bind mounts.
type mountID uint64

// mountOf returns the file system of an open file.
func mountOf(f *os.File) (mountID, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
		return 0, err
	}
	return mountID(stat.Dev), nil
}
