package native

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// leftovers returns the processes of an engine that are not the engine itself:
// shims of containers, the containerd of dockerd, port proxies, and all processes
// of its containers.
//
// What proves that a process is the engine's is never what it says of itself: a
// helper runs as this user outside of any container, the first process of a
// container is in the engine's records, and all others descend from those.
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

// isHelper reports whether a process is one of the programs that the engine starts
// beside containers. Its arguments tell this engine's helpers from those of another
// engine of the same user; they prove nothing else.
func isHelper(k kind, p process.Process) bool {
	return p.Mine() && belongs(k, p.Executable(), p.Args())
}

// isShim reports whether a process is the parent of one of the engine's containers.
func isShim(k kind, p process.Process) bool {
	return strings.HasPrefix(p.Executable(), shimPrefix) && isHelper(k, p)
}

// shimPrefix begins the name of every program that is a containerd shim.
const shimPrefix = "containerd-shim"

// belongs reports whether a program with these arguments is a helper of the engine:
// one of the known programs, with a path of this engine among its arguments.
func belongs(k kind, program string, args []string) bool {
	if len(args) == 0 {
		return false
	}
	// A runc that runs from a copy of itself in memory is called exe.
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

// isBelow reports whether a path is dir or below it, whichever links either is
// written with.
func isBelow(path, dir string) bool {
	return filepath.IsAbs(path) && (filetree.IsBelow(path, dir) || filetree.IsBelow(filetree.Resolve(path), filetree.Resolve(dir)))
}
