package doctor

import (
	"context"
	"slices"
	"strings"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/mounts"
)

// mounts checks whether the VM has the directories that its containers use.
func (e *examination) mounts(ctx context.Context) Result {
	app, err := e.app()
	if err != nil {
		return unanswered(err)
	}
	if app.Status.VM.Driver != appv1.DriverLima {
		return skipped("the engine does not run in a VM")
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	c, err := client.New(e.Instance)
	if err != nil {
		return unanswered(err)
	}
	containers, err := c.Containers(ctx)
	if err != nil {
		return unanswered(err)
	}
	var spec limahost.Spec
	if found, err := limahost.Load(e.VM.Current(), &spec); err != nil || !found {
		return skipped("no VM was started")
	}
	if appv1.IsLimaYAML(spec.Image) {
		return skipped("the VM has the mounts of %s", spec.Image)
	}
	isUnshared := func(path string) bool { return mounts.IsUnshared(spec.Mounts, path) }
	if missing := unshared(containers, isUnshared); len(missing) > 0 {
		return finding("share the directories with 'rdd set vm.mounts=…', which restarts the VM; the current value is "+strings.Join(mounts.Texts(spec.Mounts), ","),
			"containers use directories of this machine that are not shared with the VM, so that they see directories of the VM, which are usually empty: %s", strings.Join(missing, ", "))
	}
	return ok("every directory of this machine that a container uses is shared with the VM")
}

// unshared lists the directories of the host that containers use, and that the VM does
// not have.
func unshared(containers []containersv1.Container, isUnshared func(string) bool) []string {
	var missing []string
	for _, c := range containers {
		for _, m := range c.Status.Mounts {
			if m.Type == "bind" && isUnshared(m.Source) {
				missing = append(missing, m.Source+" ("+c.Status.Name+")")
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}
