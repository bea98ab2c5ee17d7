package instance

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// LinkedData returns the targets of links by which the user moved data of the engine to
// another directory, such as data/engine/docker. A removal removes the links and keeps
// their targets. Links to other files of the instance are not included.
func (i Instance) LinkedData() []string {
	engine, vm := filepath.Join(i.DataDir, filename.Engine), filepath.Join(i.LimaHome, filename.VM)
	own := []string{filetree.Resolve(i.Dir), filetree.Resolve(i.ShortDir), filetree.Resolve(i.LogDir)}
	var targets []string
	for _, dir := range []string{
		i.DataDir, engine, filepath.Join(engine, "docker"), filepath.Join(engine, "containerd"), i.LimaHome, vm,
	} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // a removal finds no links in a missing or unreadable directory
		}
		for _, entry := range entries {
			if entry.Type()&os.ModeSymlink == 0 {
				continue
			}
			target := filetree.Resolve(filepath.Join(dir, entry.Name()))
			_, err := os.Stat(target)
			isOwn := func(dir string) bool { return filetree.IsBelow(target, dir) }
			if err == nil && !slices.ContainsFunc(own, isOwn) {
				targets = append(targets, target)
			}
		}
	}
	slices.Sort(targets)
	return slices.Compact(targets)
}
