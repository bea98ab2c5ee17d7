package filetree

import "golang.org/x/sys/unix"

// FreeSpace returns the number of bytes that this user may still write on the file
// system with a path.
func FreeSpace(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // Its type differs on macOS.
}
