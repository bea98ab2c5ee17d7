package native

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// leftovers are the processes of an engine that are not the engine itself:
// shims of containers, the containerd of dockerd, port proxies, and all
// processes of its containers.
func leftovers(k kind) []process.Process {
	all := process.All()
	var left []process.Process
	var containers []string
	for _, p := range all {
		args := p.Args()
		if !belongs(k, args) {
			continue
		}
		left = append(left, p)
		if id := argAfter(args, "-id"); id != "" {
			containers = append(containers, id)
		}
	}
	for _, p := range all {
		if !slices.Contains(left, p) && inContainer(p, containers) {
			left = append(left, p)
		}
	}
	return appendDescendants(left, all)
}

// appendDescendants adds the descendants of left among all: without control
// groups, as in a rootless engine, they are the processes of its containers.
func appendDescendants(left, all []process.Process) []process.Process {
	for i := 0; i < len(left); i++ {
		for _, p := range all {
			if p.Parent == left[i].PID && !slices.Contains(left, p) {
				left = append(left, p)
			}
		}
	}
	return left
}

// belongs is whether a command line is that of a helper of the engine: one of
// the known programs, with a path of this engine among its arguments.
func belongs(k kind, args []string) bool {
	if len(args) == 0 {
		return false
	}
	name := filepath.Base(args[0])
	if !strings.HasPrefix(name, "containerd") && !strings.HasPrefix(name, "dockerd") &&
		!slices.Contains([]string{"docker-proxy", "runc", "rootlesskit", "slirp4netns", "exe"}, name) {
		return false
	}
	for _, arg := range args[1:] {
		_, value, _ := strings.Cut(arg, "=")
		for _, path := range []string{arg, value} {
			if path == k.socket || isBelow(path, k.execDir) || isBelow(path, k.dataDir) {
				return true
			}
		}
	}
	return false
}

// inContainer is whether a process is in the control group of a container. A
// container's group is named after its ID, with every cgroup driver.
func inContainer(p process.Process, containers []string) bool {
	if len(containers) == 0 {
		return false
	}
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "cgroup"))
	return err == nil && slices.ContainsFunc(containers, func(id string) bool {
		return len(id) >= 32 && strings.Contains(string(data), id)
	})
}

// isBelow reports whether a path is dir or below it, whichever links either is
// written with.
func isBelow(path, dir string) bool {
	return filepath.IsAbs(path) && (filetree.IsBelow(path, dir) || filetree.IsBelow(filetree.Resolve(path), filetree.Resolve(dir)))
}
