package filetree

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mountID identifies a mount among the current mounts. A device number does not: a
// bind mount has the number of its source, and a btrfs subvolume has its own.
type mountID uint64

// mountOf returns the mount of an open file.
func mountOf(f *os.File) (mountID, error) {
	var stat unix.Statx_t
	err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_MNT_ID, &stat)
	if err == nil && stat.Mask&unix.STATX_MNT_ID != 0 {
		return mountID(stat.Mnt_id), nil
	}
	return mountOfInfo(f)
}

// mountOfInfo is mountOf for kernels before 5.8.
func mountOfInfo(f *os.File) (mountID, error) {
	data, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(int(f.Fd())))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			id, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			return mountID(id), err
		}
	}
	return 0, fmt.Errorf("%s: /proc/self/fdinfo has no mount ID", f.Name())
}
