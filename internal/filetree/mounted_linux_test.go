package filetree

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// inNamespace runs the calling test in another process with its own mount namespace.
// It returns true there, and false in the caller.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const env = "RDD_TEST_NAMESPACE"
	if os.Getenv(env) != "" {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("this system allows no mount namespace: %v", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

func bind(t *testing.T, source, point string) {
	t.Helper()
	if err := syscall.Mount(source, point, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(point, syscall.MNT_DETACH) })
}

// Row F2: a mount in a tree refuses the removal, by the path of the tree or through a
// link.
func TestRemoveRefusesMountedTree(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for name, point := range map[string]string{"at the tree": "tree", "in the tree": "tree/a/b", "a file": "tree/file"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			outside := filepath.Join(dir, "outside")
			write(t, dir, "outside/precious", "tree/a/b/", "tree/file", "tree/z")
			link(t, dir, filepath.Join(dir, "link"))
			source := outside
			if name == "a file" {
				source = filepath.Join(outside, "precious")
			}
			bind(t, source, filepath.Join(dir, point))
			before := snapshot(t, dir)
			for _, tree := range []string{filepath.Join(dir, "tree"), filepath.Join(dir, "link", "tree")} {
				err := Remove(tree)
				mounted, ok := errors.AsType[*MountedError](err)
				if !ok || len(mounted.Mounts) != 1 || mounted.Mounts[0].Point != filepath.Join(dir, point) {
					t.Errorf("Remove = %v", err)
				}
				if _, err := Clear(tree, func(string) bool { return true }); name != "at the tree" && !errors.As(err, &mounted) {
					t.Errorf("Clear = %v", err)
				}
			}
			if after := snapshot(t, dir); name != "at the tree" && !slices.Equal(before, after) {
				t.Errorf("the files were %q and are %q", before, after)
			}
		})
	}
}

// Row F2: a link is removed even if its target has mounts.
func TestRemoveLinkToMountedTree(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	write(t, dir, "outside/precious", "disk/mine/")
	bind(t, filepath.Join(dir, "outside"), filepath.Join(dir, "disk", "mine"))
	link(t, filepath.Join(dir, "disk"), filepath.Join(dir, "link"))
	if err := Remove(filepath.Join(dir, "link")); err != nil {
		t.Error(err)
	}
	absent(t, filepath.Join(dir, "link"))
	if _, err := os.Stat(filepath.Join(dir, "disk", "mine", "precious")); err != nil {
		t.Error(err)
	}
}

// Row F2: the walk never enters a mount that was made after the check.
func TestRemoverEntersNoLateMount(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	write(t, dir, "outside/d/precious", "tree/a/b/", "tree/z/file")
	bind(t, filepath.Join(dir, "outside"), filepath.Join(dir, "tree/a/b"))
	parent, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Close()
	mount, err := mountOf(parent)
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, filepath.Join(dir, "outside"))
	err = remover{mount}.entry(parent, "tree")
	if _, ok := errors.AsType[*MountedError](err); !ok {
		t.Errorf("error = %v", err)
	}
	if after := snapshot(t, filepath.Join(dir, "outside")); !slices.Equal(before, after) {
		t.Errorf("the files outside were %q and are %q", before, after)
	}
	absent(t, filepath.Join(dir, "tree/z"))
	old, err := mountOfInfo(parent)
	if err != nil || old != mount {
		t.Errorf("mount %d by fdinfo, %d by statx, %v", old, mount, err)
	}
}

func TestUsageEntersNoMount(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const size = 1 << 20
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	written(t, filepath.Join(tree, "own"), size)
	written(t, filepath.Join(dir, "outside", "big"), 8*size)
	point := filepath.Join(tree, "volume")
	if err := os.Mkdir(point, 0o700); err != nil {
		t.Fatal(err)
	}
	bind(t, filepath.Join(dir, "outside"), point)
	var u Usage
	u.Add(t.Context(), tree)
	if u.Bytes < size || u.Bytes >= 2*size || u.Partial {
		t.Errorf("%d bytes, partial %v; want little more than %d", u.Bytes, u.Partial, size)
	}
}
