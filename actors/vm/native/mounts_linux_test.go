package native

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

const someID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func makeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestIsOwnMount(t *testing.T) {
	dir := filetree.Resolve(t.TempDir())
	precious := filepath.Join(dir, "precious")
	for name, opts := range map[string]string{
		"bound":  `{"MountType":"none","MountOpts":"bind","MountDevice":"` + filepath.Join(dir, "volumes/bound/_data") + `"}`,
		"other":  `{"MountType":"none","MountOpts":"bind","MountDevice":"` + precious + `"}`,
		"nfs":    `{"MountType":"nfs","MountOpts":"addr=10.0.0.1","MountDevice":":/x"}`,
		"quota":  `{"Quota":{"Size":1}}`,
		"broken": `{`,
	} {
		makeFile(t, filepath.Join(dir, "volumes", name, "opts.json"), opts)
		makeFile(t, filepath.Join(dir, "volumes", name, "_data", "x"), "")
	}
	makeFile(t, filepath.Join(precious, "x"), "")
	all := []filetree.Mount{{ID: 1, Device: "8:1", Root: "/", Point: "/"}}
	for name, test := range map[string]struct {
		point string
		mount filetree.Mount
		want  bool
	}{
		"the root of a container":           {"overlay2/" + someID + "/merged", filetree.Mount{Type: "overlay"}, true},
		"the same, containerd's images":     {"rootfs/overlayfs/" + someID, filetree.Mount{Type: "overlay"}, true},
		"the root of a shim":                {"io.containerd.runtime.v2.task/moby/" + someID + "/rootfs", filetree.Mount{Type: "overlay"}, true},
		"the same, below dockerd's":         {"containerd/daemon/io.containerd.runtime.v2.task/moby/" + someID + "/rootfs", filetree.Mount{Type: "overlay"}, true},
		"shared memory":                     {"containers/" + someID + "/mounts/shm", filetree.Mount{Type: "tmpfs"}, true},
		"a network namespace":               {"netns/0123456789ab", filetree.Mount{Type: "nsfs"}, true},
		"a volume that the engine binds":    {"volumes/bound/_data", filetree.Mount{}, true},
		"a volume on a server":              {"volumes/nfs/_data", filetree.Mount{Type: "nfs4"}, true},
		"the data root on itself":           {".", filetree.Mount{Parent: 1, Device: "8:1", Root: dir}, true},
		"a user's disk for the data root":   {".", filetree.Mount{Parent: 1, Device: "8:2", Root: "/"}, false},
		"a user's bind mount of it":         {".", filetree.Mount{Parent: 1, Device: "8:1", Root: "/home/me/docker"}, false},
		"a user's disk for the volumes":     {"volumes", filetree.Mount{Type: "ext4"}, false},
		"a user's disk for a plain volume":  {"volumes/plain/_data", filetree.Mount{Type: "ext4"}, false},
		"a user's disk over a bind volume":  {"volumes/other/_data", filetree.Mount{Type: "ext4"}, false},
		"a user's disk over a remote one":   {"volumes/nfs/_data", filetree.Mount{Type: "ext4"}, false},
		"one for a volume with a quota":     {"volumes/quota/_data", filetree.Mount{Type: "ext4"}, false},
		"a volume with unreadable options":  {"volumes/broken/_data", filetree.Mount{Type: "ext4"}, false},
		"a user's disk in a volume":         {"volumes/bound/_data/deep", filetree.Mount{Type: "ext4"}, false},
		"a user's disk for the images":      {"overlay2", filetree.Mount{Type: "ext4"}, false},
		"a user's disk with a name of one":  {"overlay2/backup", filetree.Mount{Type: "ext4"}, false},
		"a user's disk for all containers":  {"containers", filetree.Mount{Type: "ext4"}, false},
		"a user's disk for one container":   {"containers/" + someID, filetree.Mount{Type: "ext4"}, false},
		"a user's disk somewhere else here": {"mine", filetree.Mount{Type: "ext4"}, false},
	} {
		test.mount.ID, test.mount.Point = 2, filepath.Join(dir, test.point)
		if got := isOwn(test.mount, dir, all); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// F2: the user has mounts below the engine's data, whose path has a symbolic link.
func TestUnmountBelowKeepsUserMounts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounts something, which needs root")
	}
	dir := filetree.Resolve(t.TempDir())
	disk, link := filepath.Join(dir, "disk"), filepath.Join(dir, "data")
	precious := filepath.Join(dir, "precious")
	makeFile(t, filepath.Join(precious, "thesis.txt"), "")
	makeFile(t, filepath.Join(disk, "volumes/work/opts.json"), `{"MountType":"none","MountOpts":"bind","MountDevice":"`+precious+`"}`)
	own, users := filepath.Join(disk, "volumes/work/_data"), filepath.Join(disk, "volumes/mine/_data")
	for _, point := range []string{own, users} {
		if err := os.MkdirAll(point, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount(precious, point, "", syscall.MS_BIND, ""); err != nil {
			t.Skipf("cannot mount here: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(point, syscall.MNT_DETACH) })
	}
	if err := os.Symlink(disk, link); err != nil {
		t.Fatal(err)
	}
	if err := unmountBelow(link); err != nil {
		t.Error(err)
	}
	mounts, err := filetree.MountsBelow(disk)
	if err != nil || len(mounts) != 1 || mounts[0].Point != users {
		t.Errorf("mounts are %v, %v", mounts, err)
	}
	err = New(Config{}).removeTree(filepath.Join(link, "volumes"))
	if _, ok := errors.AsType[*filetree.MountedError](err); !ok || !strings.Contains(err.Error(), users) {
		t.Errorf("a tree with the user's mount: %v", err)
	}
	if _, err := os.Stat(filepath.Join(disk, "volumes/work/opts.json")); err != nil {
		t.Errorf("something was removed: %v", err)
	}
	if err := syscall.Unmount(users, 0); err != nil {
		t.Fatal(err)
	}
	if err := New(Config{}).removeTree(filepath.Join(link, "volumes")); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(precious)
	if err != nil || !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "thesis.txt" }) {
		t.Errorf("the user's files are %v, %v", entries, err)
	}
}

// F2: the files of a rootless engine are removed by a program in the engine's PATH.
// Mounts that appear after the check stay.
func TestMappedRemovalEntersNoMount(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"rootlesskit", "rm"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd, err := mappedRemoval(dir, "-tree")
	want := []string{filepath.Join(dir, "rootlesskit"), filepath.Join(dir, "rm"), "-rf", "--one-file-system", "--", "-tree"}
	if err != nil || !slices.Equal(cmd.Args, want) {
		t.Errorf("%v, %v, want %q", cmd, err, want)
	}
	if _, err := mappedRemoval(t.TempDir(), "tree"); err == nil || !strings.Contains(err.Error(), "rootlesskit") {
		t.Errorf("without the program: %v", err)
	}
}
