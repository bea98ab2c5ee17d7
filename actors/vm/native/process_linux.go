package native

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// findEngine returns the process of the engine. It first checks the pid and start
// time of the state file, which only this user can write to. If they are missing or
// wrong, it searches all processes. An engine runs as this user and outside of any
// container. An argument with the path of the instance's configuration file
// distinguishes it from this user's other processes.
func findEngine(k kind, s state) (process.Process, bool) {
	if s.Engine == k.engine && s.PID > 0 && s.BootID == process.BootID() {
		if p, ok := process.Find(s.PID); ok && p.Start == s.StartTime && isEngine(k, p) {
			return p, true
		}
	}
	var oldest process.Process
	for _, p := range process.All() {
		// A rootless engine is a chain of processes; the first one counts.
		if (oldest.PID == 0 || p.Start < oldest.Start) && isEngine(k, p) {
			oldest = p
		}
	}
	return oldest, oldest.PID != 0
}

func isEngine(k kind, p process.Process) bool {
	return k.isConfiguredBy(p.Args()) && p.Mine()
}

// isConfiguredBy reports whether the arguments name the instance's configuration
// file, also by a path with symbolic links.
func (k kind) isConfiguredBy(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		path, ok := strings.CutPrefix(arg, "--"+k.configFlag()+"=")
		return ok && (path == k.configFile || filepath.IsAbs(path) && filetree.Resolve(path) == filetree.Resolve(k.configFile))
	})
}
