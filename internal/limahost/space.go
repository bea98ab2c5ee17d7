package limahost

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// FreeSpace returns the number of bytes that this user may still write in dir.
func FreeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // Its type differs on macOS.
}

// FormatBytes returns a number of bytes as text such as "1.5 GiB".
func FormatBytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, prefix := float64(n), -1
	for value >= unit {
		value /= unit
		prefix++
	}
	text := strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0")
	return text + " " + string("KMGTPE"[prefix]) + "iB"
}
