package instance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// Orphans returns the processes that lock a pid file that was removed from this path,
// such as a daemon whose directories the user removed. The kernel's records prove this:
// the process belongs to this user, is in no container, and has the removed file open
// with an exclusive lock. The calling process is not included.
func Orphans(pidFile string) []process.Process {
	var orphans []process.Process
	removed := filetree.Resolve(pidFile) + " (deleted)"
	for _, p := range process.All() {
		dir := filepath.Join("/proc", strconv.Itoa(p.PID))
		if p.PID != os.Getpid() && p.Mine() && hasLocked(dir, removed) && p.Alive() {
			orphans = append(orphans, p)
		}
	}
	return orphans
}

// hasLocked reports whether a process holds an exclusive flock on the named file. dir
// is the process's directory in /proc.
func hasLocked(dir, file string) bool {
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
		if err == nil && hasExclusiveLock(string(info)) {
			return true
		}
	}
	return false
}

// hasExclusiveLock parses /proc/PID/fdinfo/FD; see proc_pid_fdinfo(5).
func hasExclusiveLock(info string) bool {
	for line := range strings.Lines(info) {
		fields := strings.Fields(line)
		if len(fields) > 4 && fields[0] == "lock:" && fields[2] == "FLOCK" && fields[4] == "WRITE" {
			return true
		}
	}
	return false
}
