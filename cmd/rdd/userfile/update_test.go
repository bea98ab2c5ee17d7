package userfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A change that another program makes between the read and the rename is not lost.
func TestUpdateKeepsForeignChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, "a", 0o600)
	calls := 0
	err := Update(path, func(content []byte) ([]byte, error) {
		if calls++; calls == 1 {
			write(t, path, "ab", 0o600)
		}
		return append(content, 'c'), nil
	})
	if text, readErr := os.ReadFile(path); err != nil || readErr != nil || string(text) != "abc" || calls != 2 {
		t.Errorf("%q after %d calls, %v, %v", text, calls, err, readErr)
	}
}

func TestUpdateGivesUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.json")
	text := ""
	err := Update(path, func([]byte) ([]byte, error) {
		text += "x"
		write(t, path, text, 0o600)
		return []byte("new"), nil
	})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files are left: %v, %v", entries, err)
	}
}

func TestUpdateWithoutChangeWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "config.json")
	if err := Update(path, func(content []byte) ([]byte, error) { return content, nil }); err != nil {
		t.Error(err)
	}
	failed := errors.New("the file is damaged")
	if err := Update(path, func([]byte) ([]byte, error) { return []byte("new"), failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was created: %v", err)
	}
}

func TestOwnerIsChecked(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.json")
	write(t, file, "old", 0o600)
	self := os.Geteuid()
	for name, c := range map[string]struct {
		path string
		user int
		want string // part of the error
	}{
		"Own":                {file, self, ""},
		"Foreign":            {file, self + 1, file},
		"MissingBelowOwn":    {filepath.Join(dir, "a", "b"), self, ""},
		"MissingBelowTmp":    {"/tmp/rdd-no-such-directory/a", self, ""},
		"ForeignSystemFile":  {"/etc/passwd", 65534, "/etc/passwd"},
		"MissingBelowOthers": {filepath.Join(dir, "a", "b"), self + 1, dir},
	} {
		if name == "MissingBelowOthers" && self == 0 {
			continue // all users may create files in a directory of root that permits it
		}
		err := checkOwner(c.path, c.user)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want+" belongs to user") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
