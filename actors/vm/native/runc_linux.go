package native

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// sharedRuncRoot is the default directory of runc's records for containers of
// containerd. containerd cannot change the default; only the client that creates a
// container can.
const sharedRuncRoot = "/run/containerd/runc"

// tasksDir holds, in the execDir of a containerd, a directory for each container:
// NAMESPACE/ID.
const tasksDir = "io.containerd.runtime.v2.task"

// container is a container of the engine in runc's records.
type container struct {
	// root is the directory that has a record for each container.
	root, id string
	// init is the container's first process, by the record.
	init process.Process
}

// containers returns the engine's containers in runc's records. Their names come
// from the engine's own directory, which only this user can write to.
func containers(k kind) []container {
	patterns, depth := "runtime-*/*/*", 3
	if k.engine == appv1.EngineContainerd {
		patterns = tasksDir + "/*/*"
	}
	own, err := os.OpenRoot(k.execDir)
	if err != nil {
		return nil
	}
	defer func() { _ = own.Close() }()
	found, _ := fs.Glob(own.FS(), patterns)
	var all []container
	for _, path := range found {
		names := strings.Split(path, "/")
		if len(names) != depth || !isName(names[1]) || !isName(names[2]) {
			continue
		}
		base, bundle := filepath.Join(k.execDir, names[0]), ""
		if k.engine == appv1.EngineContainerd {
			base, bundle = sharedRuncRoot, filepath.Join(k.execDir, path)
		}
		if init, ok := readRecord(base, filepath.Join(names[1], names[2]), bundle); ok {
			all = append(all, container{root: filepath.Join(base, names[1]), id: names[2], init: init})
		}
	}
	return all
}

// isName reports whether a text is a valid identifier of containerd for namespaces
// and containers. An identifier is one element of a path, and is not an option of a
// command.
func isName(text string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9]+([._-]+[A-Za-z0-9]+)*$`).MatchString(text)
}

// readRecord returns the first process in runc's record of a container. The record
// is in dir below base. Records that another user could have written do not count.
// If bundle is set, only a record with that bundle counts: others are of another
// containerd.
func readRecord(base, dir, bundle string) (init process.Process, ok bool) {
	root, err := os.OpenRoot(base)
	if err != nil {
		return process.Process{}, false
	}
	defer func() { _ = root.Close() }()
	info, err := root.Lstat(dir)
	if err != nil || !info.IsDir() || !isPrivate(info) {
		return process.Process{}, false
	}
	data, err := root.ReadFile(filepath.Join(dir, "state.json"))
	var record struct {
		PID    int    `json:"init_process_pid"`
		Start  uint64 `json:"init_process_start"`
		Config struct {
			Labels []string `json:"labels"`
		} `json:"config"`
	}
	if err != nil || json.Unmarshal(data, &record) != nil {
		return process.Process{}, false
	}
	if bundle != "" && !slices.ContainsFunc(record.Config.Labels, func(label string) bool {
		path, found := strings.CutPrefix(label, "bundle=")
		return found && isSameFile(path, bundle)
	}) {
		return process.Process{}, false
	}
	return process.Process{PID: record.PID, Start: record.Start}, true
}

// isPrivate reports whether only this user can write to a file.
func isPrivate(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

func isSameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// recordedInits returns the running first processes of the engine's containers.
// After a reboot, another process may have the pid and start time of a record, but
// it is not in the container's cgroup.
func recordedInits(k kind) []process.Process {
	var alive []process.Process
	for _, c := range containers(k) {
		if p, ok := process.Find(c.init.PID); ok && p.Start == c.init.Start && isInCgroupOf(p, c.id) {
			alive = append(alive, p)
		}
	}
	return alive
}

// isInCgroupOf reports whether a process is in the cgroup of a container. Every
// cgroup driver puts the container's ID in the name.
func isInCgroupOf(p process.Process, id string) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "cgroup"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		for name := range strings.SplitSeq(strings.TrimSpace(line), "/") {
			if name == id || strings.HasSuffix(name, "-"+id+".scope") {
				return true
			}
		}
	}
	return false
}

// deleteRuntimeRecords removes runc's records and cgroups of the containers of an
// engine that has ended, since a killed shim leaves them. The records of containerd
// are outside of the instance's directories, and would block new containers with
// the same names. A rootless engine has no cgroups, and its records are removed with
// its directory.
func (d *Driver) deleteRuntimeRecords(ctx context.Context, k kind) {
	if rootless() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	runc := search("runc", d.searchPath())
	for _, c := range containers(k) {
		if runc == "" {
			d.log.Warn("cannot remove the runtime state of a container, since runc is not installed", "container", c.id, "root", c.root)
			continue
		}
		out, err := exec.CommandContext(ctx, runc, "--root", c.root, "delete", "--force", c.id).CombinedOutput()
		if err != nil {
			d.log.Warn("cannot remove the runtime state of a container", "container", c.id, "root", c.root, "error", err, "output", strings.TrimSpace(string(out)))
		}
	}
}
