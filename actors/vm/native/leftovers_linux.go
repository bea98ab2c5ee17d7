package native

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// leftovers returns the processes of an engine without the engine itself: shims,
// the containerd of dockerd, port proxies, and all processes of its containers.
//
// The name and arguments of a process prove nothing, since any process can choose
// them. A helper runs as this user and outside of any container. The engine's
// records name the first process of each container. All other processes descend
// from those.
func leftovers(k kind) []process.Process {
	all := process.All()
	left := recordedInits(k)
	for _, p := range all {
		if isHelper(k, p) && !slices.ContainsFunc(left, func(c process.Process) bool { return c.PID == p.PID }) {
			left = append(left, p)
		}
	}
	return append(left, process.Descendants(left, all)...)
}

// isHelper reports whether the engine started a process as a helper. The arguments
// only distinguish the helpers of this engine from those of the user's other
// engines.
func isHelper(k kind, p process.Process) bool {
	return p.Mine() && isEngineHelper(k, p.Executable(), p.Args())
}

// isShim reports whether a process is the parent of one of the engine's containers.
func isShim(k kind, p process.Process) bool {
	return strings.HasPrefix(p.Executable(), shimPrefix) && isHelper(k, p)
}

// shimPrefix begins the name of every program that is a containerd shim.
const shimPrefix = "containerd-shim"

// isEngineHelper reports whether a program with these arguments is a helper of the
// engine: a known program, with a path of this engine among its arguments.
func isEngineHelper(k kind, program string, args []string) bool {
	if len(args) == 0 {
		return false
	}
	// A runc that runs from a copy in memory has the name exe.
	if !strings.HasPrefix(program, "containerd") && !strings.HasPrefix(program, "dockerd") &&
		!slices.Contains([]string{"docker-proxy", "runc", "rootlesskit", "slirp4netns", "exe"}, program) {
		return false
	}
	for _, arg := range args[1:] {
		_, value, _ := strings.Cut(arg, "=")
		for _, path := range []string{arg, value} {
			if isBelow(path, k.socket) || isBelow(path, k.execDir) || isBelow(path, k.dataDir) {
				return true
			}
		}
	}
	return false
}

// isBelow reports whether a path is dir or below it, also when either has symbolic
// links.
func isBelow(path, dir string) bool {
	return filepath.IsAbs(path) && (filetree.IsBelow(path, dir) || filetree.IsBelow(filetree.Resolve(path), filetree.Resolve(dir)))
}
