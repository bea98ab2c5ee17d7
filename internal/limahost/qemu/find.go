package qemu

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// Find returns the VM's QEMU. It reads the pid file. Without a valid one it searches all
// processes, because QEMU writes that file soon after its start, and not before.
//
// The kernel must confirm that the process is of this user, outside of any container,
// and runs a QEMU. The argument with the VM's pid file distinguishes it from other
// QEMUs. The argument alone is no evidence, because any process may have it.
func Find(p limahost.Paths) (process.Process, bool) {
	names := pidFiles(p)
	if text, err := os.ReadFile(p.MachinePidFile()); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			if found, ok := process.Find(pid); ok && isMachine(found, names) {
				return found, true
			}
		}
	}
	for _, candidate := range process.All() {
		if isMachine(candidate, names) {
			return candidate, true
		}
	}
	return process.Process{}, false
}

// pidFiles returns the paths that QEMU may have for its pid file: Lima resolves
// symbolic links in the path of its home.
func pidFiles(p limahost.Paths) []string {
	names := []string{p.MachinePidFile()}
	if resolved, err := filepath.EvalSymlinks(p.LimaHome); err == nil {
		names = append(names, limahost.Paths{LimaHome: resolved}.MachinePidFile())
	}
	return names
}

func isMachine(p process.Process, pidFiles []string) bool {
	return hasPidFile(p.Args(), pidFiles) && strings.Contains(executable(p), "qemu") && p.Mine()
}

func hasPidFile(args, pidFiles []string) bool {
	for i := 1; i < len(args); i++ {
		if args[i-1] == "-pidfile" && slices.Contains(pidFiles, args[i]) {
			return true
		}
	}
	return false
}

// SSHPort returns the port on this machine that QEMU forwards to the guest's port 22,
// by its arguments; 0 if they have none.
func SSHPort(args []string) int {
	forward := regexp.MustCompile(`hostfwd=tcp:[^:,]*:(\d+)-[^:,]*:22(?:,|$)`)
	for _, arg := range args {
		if found := forward.FindStringSubmatch(arg); found != nil {
			port, err := strconv.ParseUint(found[1], 10, 16)
			if err == nil {
				return int(port)
			}
		}
	}
	return 0
}
