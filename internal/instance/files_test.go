package instance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scratch returns an instance below a new directory.
func scratch(t *testing.T, name string) Instance {
	t.Helper()
	root := t.TempDir()
	i, err := build(name, surroundings{goos: "linux", home: root, uid: os.Getuid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(i.ShortDir) })
	return i
}

// E8: another local user.
func TestE8DirectoriesArePrivate(t *testing.T) {
	i := scratch(t, "2")
	if err := os.MkdirAll(i.TLSDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := i.Create(); err != nil {
			t.Fatal(err)
		}
	}
	if !i.Exists() {
		t.Error("a created instance does not exist")
	}
	for _, dir := range []string{i.Dir, i.LogDir, i.ShortDir, i.LimaHome, i.TLSDir, i.DataDir} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %o", dir, info.Mode().Perm())
		}
	}
}

// E8: a link of the user's leads to a directory that others use.
func TestE8LinkTargetKeepsItsMode(t *testing.T) {
	for name, c := range map[string]struct {
		dir     func(Instance) string
		mode    os.FileMode
		refused bool
	}{
		"logs":          {func(i Instance) string { return i.LogDir }, 0o775, false},
		"dir":           {func(i Instance) string { return i.Dir }, 0o755, false},
		"dir, writable": {func(i Instance) string { return i.Dir }, 0o775, true},
		"data":          {func(i Instance) string { return i.DataDir }, 0o755, true},
		"data, private": {func(i Instance) string { return i.DataDir }, 0o700, false},
		"tls":           {func(i Instance) string { return i.TLSDir }, 0o750, true},
	} {
		t.Run(name, func(t *testing.T) {
			i := scratch(t, "2")
			if err := i.Create(); err != nil {
				t.Fatal(err)
			}
			target := moved(t, c.dir(i))
			if err := os.Chmod(target, c.mode); err != nil {
				t.Fatal(err)
			}
			err := i.Create()
			if c.refused && (err == nil || !strings.Contains(err.Error(), "chmod 700 "+target)) || !c.refused && err != nil {
				t.Errorf("create = %v", err)
			}
			if info, err := os.Stat(target); err != nil || info.Mode().Perm() != c.mode {
				t.Errorf("the target has %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	if err := i.SaveArgs(Args{Port: 1}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := i.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range append(i.Paths(), Path{"state", filepath.Dir(i.LogDir)}) {
		if _, err := os.Lstat(path.Value); err == nil {
			t.Errorf("%s is left: %s", path.Key, path.Value)
		}
	}
	if i.Exists() {
		t.Error("a removed instance exists")
	}
}

func TestRemoveDataKeepsTheRest(t *testing.T) {
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	if err := i.RemoveData(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(i.DataDir); err == nil {
		t.Error("the data directory is left")
	}
	if _, err := os.Stat(i.TLSDir); err != nil {
		t.Error(err)
	}
}

func TestForeignDirectoriesAreRefused(t *testing.T) {
	i := scratch(t, "dev")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	twin := i
	twin.Name = "Dev"
	_, removeErr := twin.Remove()
	for what, err := range map[string]error{"create": twin.Create(), "remove": removeErr} {
		if err == nil || !strings.Contains(err.Error(), `"dev"`) {
			t.Errorf("%s of an instance in another's directory: %v", what, err)
		}
	}
	moved := i
	moved.Dir = filepath.Join(t.TempDir(), "elsewhere")
	moved.TLSDir, moved.DataDir = filepath.Join(moved.Dir, "tls"), filepath.Join(moved.Dir, "data")
	if err := moved.Create(); err == nil {
		t.Error("a short directory that is in use was taken over")
	}
	if err := os.RemoveAll(i.Dir); err != nil {
		t.Fatal(err)
	}
	if err := moved.Create(); err != nil {
		t.Errorf("a short directory whose instance is gone was refused: %v", err)
	}
}

func TestArgsRoundTrip(t *testing.T) {
	i := scratch(t, "2")
	if got, err := i.LoadArgs(); err != nil || got != (Args{}) {
		t.Errorf("no file: %+v, %v", got, err)
	}
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	want := Args{LogLevel: "debug", Port: 6443}
	if err := i.SaveArgs(want); err != nil {
		t.Fatal(err)
	}
	if got, err := i.LoadArgs(); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.WriteFile(i.ArgsFile, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := i.LoadArgs(); err == nil || !strings.Contains(err.Error(), i.ArgsFile) {
		t.Errorf("broken file: %v", err)
	}
}
