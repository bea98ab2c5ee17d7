package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// A mount below the engine's directories is the engine's if only an engine mounts
// at its point, and if it is of the expected kind. All others are the user's, such
// as a disk for the volumes: they are never unmounted, and their files are never
// removed.

// enginePoints matches the mount points of dockerd, containerd and their shims,
// relative to dataDir or execDir. Each is below a directory that the engine names
// by a random ID.
func enginePoints() *regexp.Regexp {
	const id = `[0-9a-z][0-9a-z_.-]*`
	return regexp.MustCompile(`^(` + strings.Join([]string{
		`netns/` + id, // the network namespaces of dockerd
		// A container's root: graph drivers, the containerd image store, shims.
		`(overlay|overlay2|fuse-overlayfs|aufs|btrfs|vfs|windowsfilter)/([a-z]+/)?[0-9a-z-]{25,}(/merged)?`,
		`(devicemapper|aufs|zfs)/(mnt|graph)/[0-9a-z-]{25,}`,
		`rootfs/[a-z-]+/[0-9a-f]{64}`,
		`(containerd/(daemon/)?)?io\.containerd\.runtime\.v[0-9]+\.[a-z]+/[^/]+/[^/]+/rootfs`,
		`containers/[0-9a-f]{64}/(mounts/)?[a-z]+`, // shm, secrets
		`plugins/[0-9a-f]{64}/(rootfs|propagated-mount)`,
		// Short-lived mounts of a build, or of the unpacking of a layer.
		`(containerd/(daemon/)?)?tmpmounts/containerd-mount[0-9]+`,
		`tmp/[a-z-]+[0-9]+(/[a-z]+)?`,
		`buildkit/executor/[0-9a-z]+/[a-z]+`,
	}, "|") + `)$`)
}

// isOwn reports whether the engine made a mount at or below its directory dir. all
// has every mount of the machine.
func isOwn(m filetree.Mount, dir string, all []filetree.Mount) bool {
	dir = filetree.Resolve(dir)
	below, err := filepath.Rel(dir, m.Point)
	if err != nil {
		return false
	}
	parts := strings.Split(below, "/")
	switch {
	case below == ".":
		return isSelfBind(m, all)
	case len(parts) == 3 && parts[0] == "volumes" && parts[2] == "_data":
		return isVolume(m)
	default:
		return enginePoints().MatchString(below)
	}
}

// isSelfBind reports whether a directory is mounted on itself. dockerd does this
// with its data root, so that its mounts propagate.
func isSelfBind(m filetree.Mount, all []filetree.Mount) bool {
	i := slices.IndexFunc(all, func(other filetree.Mount) bool { return other.ID == m.Parent })
	if i < 0 || all[i].Device != m.Device {
		return false
	}
	below, err := filepath.Rel(all[i].Point, m.Point)
	return err == nil && filepath.Join(all[i].Root, below) == m.Root
}

// isVolume reports whether the engine mounted a local volume, by the options in its
// record of the volume. A volume without options is a directory without a mount.
func isVolume(m filetree.Mount) bool {
	data, err := os.ReadFile(filepath.Join(filepath.Dir(m.Point), "opts.json"))
	var opts struct{ MountType, MountOpts, MountDevice string }
	if err != nil || json.Unmarshal(data, &opts) != nil || opts.MountDevice == "" {
		return false
	}
	if options := strings.Split(opts.MountOpts, ","); opts.MountType == "bind" || slices.Contains(options, "bind") || slices.Contains(options, "rbind") {
		source, err := os.Stat(opts.MountDevice)
		if errors.Is(err, fs.ErrNotExist) {
			return strings.HasSuffix(m.Root, "//deleted")
		}
		point, pointErr := os.Stat(m.Point)
		return err == nil && pointErr == nil && os.SameFile(source, point)
	}
	// The kernel reports "nfs4" for the type "nfs".
	return opts.MountType != "" && strings.HasPrefix(m.Type, opts.MountType)
}

// unmountBelow unmounts the engine's mounts at or below dir, the last mount first. A
// mount in use disappears with its last user. The user's mounts stay, and so do the
// engine's mounts below them.
func unmountBelow(dir string) error {
	all, err := filetree.MountsBelow("/")
	if err != nil {
		return err
	}
	dir = filetree.Resolve(dir)
	var failed []error
	kept := map[int]bool{}
	for _, m := range all {
		if !filetree.IsBelow(m.Point, dir) {
			continue
		}
		if kept[m.ID] || !isOwn(m, dir, all) {
			kept[m.Parent] = true
			continue
		}
		err := unix.Unmount(m.Point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("unmount %s: %w", m.Point, err))
		}
	}
	return errors.Join(failed...)
}

// removeTree removes dir with its content. It follows no link, and enters no mount.
func (d *Driver) removeTree(dir string) error {
	err := filetree.Remove(dir)
	if _, mounted := errors.AsType[*filetree.MountedError](err); mounted {
		return err
	}
	if err != nil && rootless() {
		err = d.removeMapped(dir)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	return nil
}
