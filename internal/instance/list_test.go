package instance_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// names returns the names of all instances.
func names(t *testing.T) []string {
	t.Helper()
	list, err := instance.List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names
}

// created creates another instance in the home of the test.
func created(t *testing.T, name string) instance.Instance {
	t.Helper()
	i, err := instance.New(name)
	if err == nil {
		err = i.Create()
	}
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestListFindsInstances(t *testing.T) {
	home := instancetest.Home(t)
	if got := names(t); len(got) != 0 {
		t.Errorf("empty home: %q", got)
	}
	created(t, "work")
	created(t, "2")
	// Directories with similar names that no instance has made.
	testkit.WriteFile(t, filepath.Join(home, ".local/share/rancher-desktop-other/file"), "x")
	testkit.WriteFile(t, filepath.Join(home, ".local/share/rancher-desktop-wrong/instance"), "2\n")
	testkit.WriteFile(t, filepath.Join(home, ".rdm/instance"), "/somewhere/rancher-desktop-m\n")
	if got := names(t); !slices.Equal(got, []string{"2", "work"}) {
		t.Errorf("%q", got)
	}
}

// F8: an instance whose Dir was removed by hand still has files.
func TestListFindsInstanceWithoutDir(t *testing.T) {
	instancetest.Home(t)
	i := created(t, "work")
	if err := os.RemoveAll(i.Dir); err != nil {
		t.Fatal(err)
	}
	if got := names(t); !slices.Equal(got, []string{"work"}) || !i.HasFiles() {
		t.Errorf("%q, has files: %v", got, i.HasFiles())
	}
}

func TestHasFilesKnowsOwnDirectories(t *testing.T) {
	instancetest.Home(t)
	i, err := instance.New("m")
	if err != nil {
		t.Fatal(err)
	}
	testkit.WriteFile(t, filepath.Join(i.ShortDir, "config"), "of another program")
	if i.HasFiles() {
		t.Errorf("%s of another program counts", i.ShortDir)
	}
	for _, dir := range []string{i.LogDir, i.Dir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if !i.HasFiles() {
			t.Errorf("%s does not count", dir)
		}
		if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
			t.Fatal(err)
		}
	}
	if i = created(t, "m"); !i.HasFiles() {
		t.Error("a complete instance does not count")
	}
	if _, err := i.Remove(); err != nil || i.HasFiles() {
		t.Errorf("after the removal: %v", err)
	}
}

func TestUsageIncludesLinkedData(t *testing.T) {
	const size = 1 << 20
	instancetest.Home(t)
	i := created(t, "work")
	testkit.WriteFile(t, filepath.Join(i.LogDir, "rdd.log"), string(make([]byte, size)))
	before := i.Usage(t.Context())
	if before.Bytes < size || i.DataUsage(t.Context()).Bytes >= size {
		t.Errorf("all %d bytes, data %d", before.Bytes, i.DataUsage(t.Context()).Bytes)
	}
	disk := filepath.Join(t.TempDir(), "data")
	if err := os.Rename(i.DataDir, disk); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(disk, i.DataDir); err != nil {
		t.Fatal(err)
	}
	testkit.WriteFile(t, filepath.Join(disk, "engine", "layer"), string(make([]byte, size)))
	testkit.WriteFile(t, filepath.Join(disk, "photo.jpg"), string(make([]byte, 8*size)))
	after, data := i.Usage(t.Context()), i.DataUsage(t.Context())
	if grown := after.Bytes - before.Bytes; grown < size || grown >= 2*size || data.Bytes < size || data.Bytes >= 2*size {
		t.Errorf("with an engine's data of %d bytes behind a link: %d more, data %d", size, grown, data.Bytes)
	}
}
