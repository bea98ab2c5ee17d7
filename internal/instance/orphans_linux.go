package instance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// Orphans returns the processes that hold the lock of a pid file which was removed
// from this path, such as a daemon whose directories a user removed by hand. The
// kernel's record proves it: the process is of this user, outside of any container,
// and has the removed file open with an exclusive lock. This process is none of them.
func Orphans(pidFile string) []process.Process {
	var orphans []process.Process
	gone := filetree.Resolve(pidFile) + " (deleted)"
	for _, p := range process.All() {
		dir := filepath.Join("/proc", strconv.Itoa(p.PID))
		if p.PID != os.Getpid() && p.Mine() && locks(dir, gone) && p.Alive() {
			orphans = append(orphans, p)
		}
	}
	return orphans
}

// locks reports whether a process holds an exclusive flock of the named file.
func locks(dir, file string) bool {
	fds, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return false
	}
	for _, fd := range fds {
		target, err := os.Readlink(filepath.Join(dir, "fd", fd.Name()))
		if err != nil || target != file {
			continue
		}
		info, err := os.ReadFile(filepath.Join(dir, "fdinfo", fd.Name()))
		if err == nil && isLockedFor(string(info)) {
			return true
		}
	}
	return false
}

// isLockedFor reads /proc/PID/fdinfo/FD; see proc_pid_fdinfo(5).
func isLockedFor(info string) bool {
	for line := range strings.Lines(info) {
		fields := strings.Fields(line)
		if len(fields) > 4 && fields[0] == "lock:" && fields[2] == "FLOCK" && fields[4] == "WRITE" {
			return true
		}
	}
	return false
}
