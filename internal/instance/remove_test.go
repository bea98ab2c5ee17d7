package instance

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// moved moves a directory of the instance to another path, replaces it by a link, and
// adds a file of the user. It returns the new path.
func moved(t *testing.T, dir string) string {
	t.Helper()
	target := filepath.Join(t.TempDir(), "disk")
	if err := os.Rename(dir, target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, dir); err != nil {
		t.Fatal(err)
	}
	touch(t, filepath.Join(target, "thesis.txt"))
	return target
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return strings.Join(all, " ")
}

// Row F2: the user moved one of the instance's directories to another disk.
func TestRemoveKeepsUserFilesBehindLink(t *testing.T) {
	for name, dir := range map[string]func(Instance) string{
		"dir":       func(i Instance) string { return i.Dir },
		"data":      func(i Instance) string { return i.DataDir },
		"tls":       func(i Instance) string { return i.TLSDir },
		"short_dir": func(i Instance) string { return i.ShortDir },
		"lima_home": func(i Instance) string { return i.LimaHome },
		"log_dir":   func(i Instance) string { return i.LogDir },
		"state":     func(i Instance) string { return filepath.Dir(i.LogDir) },
	} {
		t.Run(name, func(t *testing.T) {
			i := scratch(t, "2")
			if err := i.Create(); err != nil {
				t.Fatal(err)
			}
			outside := filepath.Join(t.TempDir(), "outside")
			touch(t, filepath.Join(outside, "precious"))
			touch(t, filepath.Join(i.DataDir, "engine", "x"))
			touch(t, filepath.Join(i.DataDir, "state.db-wal"))
			if err := os.Symlink(outside, filepath.Join(i.DataDir, "engine", "link")); err != nil {
				t.Fatal(err)
			}
			target := moved(t, dir(i))
			left, err := i.Remove()
			if err != nil || !slices.Equal(left, []string{filepath.Join(target, "thesis.txt")}) {
				t.Errorf("left %q, %v", left, err)
			}
			if got := names(t, target); got != "thesis.txt" {
				t.Errorf("the disk has %q", got)
			}
			if got := names(t, outside); got != "precious" {
				t.Errorf("outside has %q", got)
			}
			for _, path := range i.Paths() {
				if _, err := os.Lstat(path.Value); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s still exists: %s", path.Key, path.Value)
				}
			}
		})
	}
}

// Row F2: files of the user with names similar to those of rdd's files stay.
func TestRemoveKeepsSimilarNames(t *testing.T) {
	for name, c := range map[string]struct {
		dir  func(Instance) string
		own  []string
		user []string
	}{
		"dir": {
			func(i Instance) string { return i.Dir },
			[]string{"kubectl-cache/x", "data/state.db", "tls/token"},
			[]string{"cache/x", "data/photo.jpg", "tls/mine.pem"},
		},
		"log_dir": {
			func(i Instance) string { return i.LogDir },
			[]string{"rdd.log", "rdd-2026-01-02T03-04-05.678.log", "dockerd.log.1", "rdd.stderr.log"},
			[]string{"app.log", "dockerd.log.2", "nginx-2026-01-02.log", "nginx.log", "rdd-2026-01-notes.log"},
		},
		"state": {
			func(i Instance) string { return filepath.Dir(i.LogDir) },
			[]string{"logs/rdd.log"}, []string{"logs/nginx.log", "rdd.log"},
		},
		"short_dir": {
			func(i Instance) string { return i.ShortDir },
			[]string{"docker.sock", "lima/rdd/x"}, []string{"lima/mine.yaml", "mysql.sock"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := scratch(t, "2")
			if err := i.Create(); err != nil {
				t.Fatal(err)
			}
			target := moved(t, c.dir(i))
			want := []string{filepath.Join(target, "thesis.txt")}
			for _, file := range c.own {
				touch(t, filepath.Join(target, file))
			}
			for _, file := range c.user {
				touch(t, filepath.Join(target, file))
				if strings.HasPrefix(file, "cache/") {
					file = "cache"
				}
				want = append(want, filepath.Join(target, file))
			}
			left, err := i.Remove()
			slices.Sort(left)
			slices.Sort(want)
			if err != nil || !slices.Equal(left, want) {
				t.Errorf("left %q, %v, want %q", left, err, want)
			}
			for _, file := range c.own {
				if _, err := os.Lstat(filepath.Join(target, file)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s still exists: %v", file, err)
				}
			}
			for _, file := range c.user {
				if _, err := os.Lstat(filepath.Join(target, file)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Row F2: the user moved a part of the engine's data to another disk.
func TestLinkedDataListsTargets(t *testing.T) {
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	touch(t, filepath.Join(i.DataDir, "engine", "docker", "image"))
	touch(t, filepath.Join(i.LimaHome, "rdd", "disk"))
	if err := os.Symlink(i.LimaHome, filepath.Join(i.DataDir, "engine", "own")); err != nil {
		t.Fatal(err)
	}
	want := []string{moved(t, filepath.Join(i.DataDir, "engine", "docker")), moved(t, filepath.Join(i.LimaHome, "rdd"))}
	slices.Sort(want)
	if got := i.LinkedData(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Row F2: no file is removed from a link target without the owner file.
func TestRemoveRequiresOwnerFile(t *testing.T) {
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	target := moved(t, i.Dir)
	touch(t, filepath.Join(target, "data", "state.db"))
	if err := os.Remove(filepath.Join(target, filename.Owner)); err != nil {
		t.Fatal(err)
	}
	left, err := i.Remove()
	slices.Sort(left)
	want := []string{filepath.Join(target, "data", "state.db"), filepath.Join(target, "thesis.txt"), filepath.Join(target, "tls")}
	if err != nil || !slices.Equal(left, want) {
		t.Errorf("left %q, %v, want %q", left, err, want)
	}
	if got := names(t, filepath.Join(target, "data")); got != "state.db" {
		t.Errorf("data has %q", got)
	}
	if _, err := os.Lstat(i.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link still exists: %v", err)
	}
}

func TestRemoveDataKeepsLink(t *testing.T) {
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	target := moved(t, i.DataDir)
	touch(t, filepath.Join(target, "engine", "x"))
	if err := i.RemoveData(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, target); got != "thesis.txt" {
		t.Errorf("the disk has %q", got)
	}
	if got, err := os.Readlink(i.DataDir); err != nil || got != target {
		t.Errorf("the link is %q, %v", got, err)
	}
}

func TestRemoveRefusesForeignTarget(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a directory to another user")
	}
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	target := moved(t, i.DataDir)
	touch(t, filepath.Join(target, "state.db"))
	if err := os.Chown(target, 1, 1); err != nil {
		t.Fatal(err)
	}
	before := names(t, i.Dir)
	if _, err := i.Remove(); err == nil || !strings.Contains(err.Error(), "belongs to user 1:") {
		t.Errorf("remove = %v", err)
	}
	if got := names(t, i.Dir) + names(t, target); got != before+"state.db thesis.txt" {
		t.Errorf("Remove removed files: %q", got)
	}
}

func TestCheckHomeRefusesOtherUser(t *testing.T) {
	home := t.TempDir()
	uid := os.Getuid()
	if err := checkHome(filepath.Join(home, "a", "b"), uid); err != nil {
		t.Errorf("a directory of this user: %v", err)
	}
	if err := checkHome("/rdd-none/a", uid+1); err != nil {
		t.Errorf("a directory of root: %v", err)
	}
	if uid == 0 {
		if err := os.Chown(home, 12345, 12345); err != nil {
			t.Fatal(err)
		}
	} else {
		uid = 12345
	}
	err := checkHome(filepath.Join(home, "a", "b"), uid)
	if err == nil || !strings.Contains(err.Error(), home+" belongs to user") {
		t.Errorf("a directory of another user: %v", err)
	}
	if got := names(t, home); got != "" {
		t.Errorf("checkHome created %q", got)
	}
}

// Create checks each directory before it creates the first.
func TestCreateRefusesHomeOfOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can create a directory of another user")
	}
	for name, dir := range map[string]func(*Instance) *string{
		"dir": func(i *Instance) *string { return &i.Dir }, "logs": func(i *Instance) *string { return &i.LogDir },
		"short": func(i *Instance) *string { return &i.ShortDir }, "lima": func(i *Instance) *string { return &i.LimaHome },
		"tls": func(i *Instance) *string { return &i.TLSDir }, "data": func(i *Instance) *string { return &i.DataDir },
	} {
		t.Run(name, func(t *testing.T) {
			own, home := t.TempDir(), t.TempDir()
			if err := os.Chown(home, 12345, 12345); err != nil {
				t.Fatal(err)
			}
			i, err := build("2", hostEnv{goos: "linux", home: own})
			if err != nil {
				t.Fatal(err)
			}
			*dir(&i) = filepath.Join(home, "a", "b")
			if err := i.Create(); err == nil || !strings.Contains(err.Error(), home+" belongs to user 12345") {
				t.Errorf("Create: %v", err)
			}
			if made := names(t, own) + names(t, home); made != "" {
				t.Errorf("Create created %q", made)
			}
		})
	}
}

// Every file that package filename names is removed from a shared directory.
func TestRemoveCoversEveryFileName(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "filename/filename.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	places := scratch(t, "2").allPlaces()
	count := 0
	ast.Inspect(file, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if !ok {
			return true
		}
		name, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		count++
		if !slices.ContainsFunc(places, func(p Place) bool { return p.matches(name) }) {
			t.Errorf("no place has a pattern for %q", name)
		}
		return true
	})
	if count < 30 {
		t.Errorf("found only %d names", count)
	}
}
