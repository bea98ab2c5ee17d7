package instance

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// LinkedData lists the targets of links by which the user moved parts of the
// engine's data elsewhere, such as data/engine/docker. A removal takes the links and
// not what they lead to. Links to other files of the instance are not listed.
func (i Instance) LinkedData() []string {
	engine, vm := filepath.Join(i.DataDir, "engine"), filepath.Join(i.LimaHome, "rdd")
	own := []string{filetree.Resolve(i.Dir), filetree.Resolve(i.ShortDir), filetree.Resolve(i.LogDir)}
	var targets []string
	for _, dir := range []string{
		i.DataDir, engine, filepath.Join(engine, "docker"), filepath.Join(engine, "containerd"), i.LimaHome, vm,
	} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // what is not there or cannot be read has no links that rdd could remove
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
