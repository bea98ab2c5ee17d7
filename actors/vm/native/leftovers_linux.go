package native

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
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

func isBelow(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// mountsBelow lists the mount points at or below dir, the last mounted first.
func mountsBelow(dir string) ([]string, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mounts: %w", err)
	}
	var points []string
	for line := range strings.Lines(string(data)) {
		if point, ok := instance.MountPoint(line); ok && isBelow(point, dir) {
			points = append(points, point)
		}
	}
	slices.Reverse(points)
	return points, nil
}

// unmountBelow unmounts all at or below dir. A mount that is still in use goes
// when its last user does.
func unmountBelow(dir string) error {
	points, err := mountsBelow(dir)
	if err != nil {
		return err
	}
	var failed []error
	for _, point := range points {
		err := unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("unmount %s: %w", point, err))
		}
	}
	return errors.Join(failed...)
}

// removeTree removes dir with all in it, but never through a mount: what is
// mounted there may be somebody's data.
func removeTree(dir string) error {
	points, err := mountsBelow(dir)
	if err != nil {
		return err
	}
	if len(points) > 0 {
		return fmt.Errorf("%s is not removed, since something is mounted at %s", dir, points[0])
	}
	err = os.RemoveAll(dir)
	if err != nil && rootless() {
		err = removeMapped(dir)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	return nil
}
