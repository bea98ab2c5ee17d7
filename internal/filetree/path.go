package filetree

import (
	"os"
	"path/filepath"
	"strings"
)

// IsBelow reports whether path is dir or a path below it. It compares text, so both
// must be resolved.
func IsBelow(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// maxLinks is how many links Resolve follows for a path, as in the kernel.
const maxLinks = 40

// Resolve returns path with all links resolved, including those whose target does not
// exist. It returns a path that cannot be resolved unchanged.
func Resolve(path string) string {
	path = filepath.Clean(path)
	rest := ""
	links := 0
	for dir := path; ; {
		if resolved, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(resolved, rest)
		}
		if target, err := os.Readlink(dir); err == nil && links < maxLinks {
			links++
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(dir), target)
			}
			dir = target
			continue
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return path
		}
		rest = filepath.Join(filepath.Base(dir), rest)
		dir = parent
	}
}

// atParent resolves all elements of a path except the last one.
func atParent(path string) string {
	return filepath.Join(Resolve(filepath.Dir(path)), filepath.Base(path))
}
