package native

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// findEngine returns the process of the engine. The record of its start comes first:
// a pid and a start time in a file that only this user can write to. An engine whose
// record was lost is searched for. Only a process of this user, outside of any
// container, is an engine; the argument that names the instance's own configuration
// file then tells it from this user's other processes.
func findEngine(k kind, s state) (process.Process, bool) {
	if s.Engine == k.engine && s.PID > 0 && s.BootID == process.BootID() {
		if p, ok := process.Find(s.PID); ok && p.Start == s.StartTime && isEngine(k, p) {
			return p, true
		}
	}
	var oldest process.Process
	for _, p := range process.All() {
		// A rootless engine is a chain of processes; the first of it is the engine.
		if (oldest.PID == 0 || p.Start < oldest.Start) && isEngine(k, p) {
			oldest = p
		}
	}
	return oldest, oldest.PID != 0
}

func isEngine(k kind, p process.Process) bool {
	return k.configures(p.Args()) && p.Mine()
}

// configures reports whether the instance's own configuration file is among the
// arguments, whichever links its path is written with.
func (k kind) configures(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		path, ok := strings.CutPrefix(arg, "--"+k.configFlag()+"=")
		return ok && (path == k.configFile || filepath.IsAbs(path) && filetree.Resolve(path) == filetree.Resolve(k.configFile))
	})
}
