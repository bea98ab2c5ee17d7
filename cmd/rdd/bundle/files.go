package bundle

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// source is a file of the instance, and its name in the bundle.
type source struct{ name, path string }

// files returns the files of the instance for the bundle: logs with the rotated
// ones, configurations of the VM, and the daemon's arguments. Keys, disks and the
// datastore are not among them.
func (s Subject) files() []source {
	i := s.Instance
	files := []source{
		{"args.json", i.ArgsFile},
		{"run.json", filepath.Join(i.Dir, filename.Run)},
	}
	for _, dir := range []struct {
		name, path string
		patterns   []string
	}{
		{"logs", i.LogDir, []string{"*"}},
		{"vm", i.LimaHome, []string{"*.json", "*.log", "*.pid"}},
		{"vm/rdd", s.VM.Dir(), []string{"*.log", "*.log.*", "*.yaml", "*.json", "*.pid", "ssh.config"}},
	} {
		for _, pattern := range dir.patterns {
			found, err := filepath.Glob(filepath.Join(escaped(dir.path), pattern))
			if err != nil {
				continue // cannot happen: the patterns are valid
			}
			for _, path := range found {
				if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
					files = append(files, source{filepath.Join(dir.name, filepath.Base(path)), path})
				}
			}
		}
	}
	// The newest first: if the time runs out, they matter most.
	slices.SortStableFunc(files, func(a, b source) int { return modified(b.path).Compare(modified(a.path)) })
	return files
}

// escaped returns a directory as a pattern that matches only it.
func escaped(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// maxListed is the maximum number of lines of the listing.
const maxListed = 5000

// listing lists the instance's directories: mode, owner, size, time, name. It lists
// only the first level of the engine's data.
func (s Subject) listing(ctx context.Context) ([]byte, error) {
	var b bytes.Buffer
	lines := 0
	for _, root := range []string{s.Instance.Dir, filepath.Dir(s.Instance.LogDir), s.Instance.ShortDir} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if lines++; lines > maxListed || ctx.Err() != nil {
				return fs.SkipAll
			}
			if err != nil {
				fmt.Fprintf(&b, "%v\n", err)
				return nil
			}
			info, err := entry.Info()
			if err != nil {
				return nil //nolint:nilerr // gone meanwhile
			}
			fmt.Fprintf(&b, "%s %6d %12d %s %s\n", info.Mode(), owner(info), info.Size(), info.ModTime().UTC().Format(time.RFC3339), path)
			if entry.IsDir() && filepath.Dir(filepath.Dir(path)) == s.Instance.DataDir {
				return fs.SkipDir
			}
			return nil
		})
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", root, err)
		}
	}
	if lines > maxListed {
		return b.Bytes(), fmt.Errorf("only the first %d files are listed", maxListed)
	}
	return b.Bytes(), ctx.Err()
}
