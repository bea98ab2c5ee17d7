package native

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// container is one that a shim was started for.
type container struct{ namespace, id string }

// containersOf are the containers of the shims among left.
func containersOf(left []process.Process) []container {
	var all []container
	for _, p := range left {
		if c := (container{argAfter(p.Args(), "-namespace"), argAfter(p.Args(), "-id")}); isShim(p) && c.id != "" {
			all = append(all, c)
		}
	}
	return all
}

func argAfter(args []string, name string) string {
	if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

func isShim(p process.Process) bool {
	args := p.Args()
	return len(args) > 0 && strings.HasPrefix(filepath.Base(args[0]), "containerd-shim")
}

// forget makes runc forget containers whose processes are gone. A shim that was
// killed does not do it any more; control groups would stay behind, and for
// containerd, whose runc keeps its state outside of any instance's directories,
// no container with the same name could be started again.
func (d *Driver) forget(ctx context.Context, k kind, containers []container) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	runc := search("runc", d.searchPath())
	for _, c := range containers {
		states, _ := filepath.Glob(filepath.Join(k.execDir, "runtime-*", c.namespace, c.id))
		outside, _ := filepath.Glob(filepath.Join("/run/containerd/runc", c.namespace, c.id))
		for _, state := range append(states, outside...) {
			if runc == "" {
				d.log.Warn("no runc is there to remove what is left of a container", "state", state)
				continue
			}
			out, err := exec.CommandContext(ctx, runc, "--root", filepath.Dir(state), "delete", "--force", c.id).CombinedOutput()
			if err != nil {
				d.log.Warn("cannot remove what is left of a container", "state", state, "error", err, "output", strings.TrimSpace(string(out)))
			}
		}
	}
}
