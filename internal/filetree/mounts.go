package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mountTable is where Linux lists the mounts of this process; see
// proc_pid_mountinfo(5). Other systems have no such file.
const mountTable = "/proc/self/mountinfo"

// Mount is one line of the mount table.
type Mount struct {
	ID, Parent int
	// Device is the major and minor number, such as "254:0".
	Device string
	// Root is the directory of the file system that is mounted: "/" unless it is
	// a bind mount.
	Root string
	// Point is where it is mounted, with all links resolved.
	Point string
	// Type of the file system, such as "ext4", and Source, such as "/dev/sda1".
	Type, Source string
}

// String names the mount for a user.
func (m Mount) String() string {
	return fmt.Sprintf("%s (%s from %s)", m.Point, m.Type, m.Source)
}

// MountedError reports that a tree was not removed because of what is mounted
// in it.
type MountedError struct {
	// Path of the tree.
	Path   string
	Mounts []Mount
}

func (e *MountedError) Error() string {
	names := make([]string, len(e.Mounts))
	for i, m := range e.Mounts {
		names[i] = m.String()
	}
	next := "unmount it"
	if len(e.Mounts) > 0 {
		next = "unmount it with 'umount " + e.Mounts[0].Point + "'"
	}
	return fmt.Sprintf("remove %s: %s is mounted there: %s, then run the command again", e.Path, strings.Join(names, ", "), next)
}

// MountsBelow lists what is mounted at path or below it, the last mount first.
// Links in path are resolved. Where the system has no mount table it is empty.
func MountsBelow(path string) ([]Mount, error) { return mountsBelow(Resolve(path)) }

// mountsBelow is MountsBelow for a path that is resolved as far as it should be.
func mountsBelow(path string) ([]Mount, error) {
	data, err := os.ReadFile(mountTable)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the mounts below %s: %w", path, err)
	}
	return parseMounts(string(data), path), nil
}

// parseMounts returns the mounts at or below a resolved path, the last first.
func parseMounts(table, path string) []Mount {
	var mounts []Mount
	for line := range strings.Lines(table) {
		if m, ok := ParseMount(line); ok && IsBelow(m.Point, path) {
			mounts = append(mounts, m)
		}
	}
	slices.Reverse(mounts)
	return mounts
}

// ParseMount reads a line of the mount table. Its fields are separated by single
// spaces, and spaces, tabs, newlines and backslashes in them are octal; see
// proc_pid_mountinfo(5).
func ParseMount(line string) (Mount, bool) {
	// Optional fields, of any number, lie between the sixth and a lone hyphen.
	const optional = 6
	fields := strings.Split(strings.TrimSuffix(line, "\n"), " ")
	if len(fields) < optional {
		return Mount{}, false
	}
	id, err := strconv.Atoi(fields[0])
	parent, parentErr := strconv.Atoi(fields[1])
	if err != nil || parentErr != nil {
		return Mount{}, false
	}
	octal := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	m := Mount{ID: id, Parent: parent, Device: fields[2], Root: octal.Replace(fields[3]), Point: octal.Replace(fields[4])}
	if end := slices.Index(fields[optional:], "-"); end >= 0 && optional+end+2 < len(fields) {
		m.Type, m.Source = fields[optional+end+1], octal.Replace(fields[optional+end+2])
	}
	return m, true
}

// IsBelow reports whether a path is dir or below it, as text. Compare resolved
// paths only.
func IsBelow(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// maxLinks is how many links a path may lead through, as in the kernel.
const maxLinks = 40

// Resolve returns path with all links in it resolved, also those whose targets do
// not exist. A path that cannot be resolved is returned as it is.
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

// CheckUnmounted returns a *MountedError when anything is mounted at one of the
// paths or below it. A link is not followed at the end of a path.
func CheckUnmounted(paths ...string) error {
	for _, path := range paths {
		mounts, err := mountsBelow(atParent(path))
		if err != nil {
			return err
		}
		if len(mounts) > 0 {
			return &MountedError{Path: path, Mounts: mounts}
		}
	}
	return nil
}

// atParent resolves all of a path but its last element.
func atParent(path string) string {
	return filepath.Join(Resolve(filepath.Dir(path)), filepath.Base(path))
}
