package native

import (
	"slices"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// findEngine returns the process of the engine. The state file is asked first,
// all processes are searched otherwise: an engine whose state was lost is found
// too. The argument that names the instance's own configuration file decides.
func findEngine(k kind, s state) (process.Process, bool) {
	if s.Engine == k.engine && s.PID > 0 && s.BootID == process.BootID() {
		p := process.Process{PID: s.PID, Start: s.StartTime}
		if p.Alive() && slices.Contains(p.Args(), k.configArg()) {
			return p, true
		}
	}
	var oldest process.Process
	for _, p := range process.All() {
		if !slices.Contains(p.Args(), k.configArg()) {
			continue
		}
		// A rootless engine is a chain of processes; the first of it is the engine.
		if oldest.PID == 0 || p.Start < oldest.Start {
			oldest = p
		}
	}
	return oldest, oldest.PID != 0
}
