package instance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scratch returns an instance in a new directory.
func scratch(t *testing.T, name string) Instance {
	t.Helper()
	root := t.TempDir()
	i, err := build(name, hostEnv{goos: "linux", home: root, uid: os.Getuid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(i.ShortDir) })
	return i
}

// Row E8: other local users have no access.
func TestCreateMakesPrivateDirectories(t *testing.T) {
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

// Row E8: a directory that the user linked keeps its mode, and so do directories below
// it. An unsafe mode is refused.
func TestCreateKeepsModeOfLinkTarget(t *testing.T) {
	for name, c := range map[string]struct {
		dir   func(Instance) string
		inner string // the directory below dir that has the mode
		mode  os.FileMode
		valid bool
	}{
		"logs":              {func(i Instance) string { return i.LogDir }, "", 0o775, true},
		"dir":               {func(i Instance) string { return i.Dir }, "", 0o755, true},
		"dir, writable":     {func(i Instance) string { return i.Dir }, "", 0o775, false},
		"data":              {func(i Instance) string { return i.DataDir }, "", 0o755, false},
		"data, private":     {func(i Instance) string { return i.DataDir }, "", 0o700, true},
		"tls":               {func(i Instance) string { return i.TLSDir }, "", 0o750, false},
		"data in dir":       {func(i Instance) string { return i.Dir }, "data", 0o755, false},
		"tls in dir":        {func(i Instance) string { return i.Dir }, "tls", 0o700, true},
		"lima in short_dir": {func(i Instance) string { return i.ShortDir }, "lima", 0o750, false},
		"logs in state":     {func(i Instance) string { return filepath.Dir(i.LogDir) }, "logs", 0o775, true},
	} {
		t.Run(name, func(t *testing.T) {
			i := scratch(t, "2")
			if err := i.Create(); err != nil {
				t.Fatal(err)
			}
			target := filepath.Join(moved(t, c.dir(i)), c.inner)
			if err := os.Chmod(target, c.mode); err != nil {
				t.Fatal(err)
			}
			err := i.Create()
			if c.valid != (err == nil) || err != nil && !strings.Contains(err.Error(), "chmod 700 "+target) {
				t.Errorf("Create = %v", err)
			}
			if info, err := os.Stat(target); err != nil || info.Mode().Perm() != c.mode {
				t.Errorf("the target has mode %v: %v", info.Mode(), err)
			}
		})
	}
}

func TestRemoveRemovesEverything(t *testing.T) {
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
			t.Errorf("%s still exists: %s", path.Key, path.Value)
		}
	}
	if i.Exists() {
		t.Error("a removed instance exists")
	}
}

func TestRemoveDataKeepsCertificates(t *testing.T) {
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	if err := i.RemoveData(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(i.DataDir); err == nil {
		t.Error("the data directory still exists")
	}
	if _, err := os.Stat(i.TLSDir); err != nil {
		t.Error(err)
	}
}

func TestForeignDirectoryRefused(t *testing.T) {
	i := scratch(t, "dev")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	twin := i
	twin.Name = "Dev"
	_, removeErr := twin.Remove()
	for what, err := range map[string]error{"create": twin.Create(), "remove": removeErr} {
		if err == nil || !strings.Contains(err.Error(), `"dev"`) {
			t.Errorf("%s in the directory of another instance: %v", what, err)
		}
	}
	moved := i
	moved.Dir = filepath.Join(t.TempDir(), "elsewhere")
	moved.TLSDir, moved.DataDir = filepath.Join(moved.Dir, "tls"), filepath.Join(moved.Dir, "data")
	if err := moved.Create(); err == nil {
		t.Error("Create accepted a short directory that is in use")
	}
	if err := os.RemoveAll(i.Dir); err != nil {
		t.Fatal(err)
	}
	if err := moved.Create(); err != nil {
		t.Errorf("Create refused the short directory of a removed instance: %v", err)
	}
}

func TestSaveArgsRoundTrip(t *testing.T) {
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
		t.Errorf("a damaged file: %v", err)
	}
}
