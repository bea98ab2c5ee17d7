package filetree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// mountTable is the file in which Linux lists the mounts of this process; see
// proc_pid_mountinfo(5). Other systems have no such file.
const mountTable = "/proc/self/mountinfo"

// Mount is one line of the mount table.
type Mount struct {
	ID, Parent int
	// Device is the major and minor number, such as "254:0".
	Device string
	// Root is the directory of the file system that is mounted: "/", or another one
	// for a bind mount.
	Root string
	// Point is the path of the mount point, with all links resolved.
	Point string
	// Type is the type of the file system, such as "ext4".
	Type string
	// Source is the device or server, such as "/dev/sda1".
	Source string
}

// String describes the mount for a user.
func (m Mount) String() string {
	return fmt.Sprintf("%s (%s from %s)", m.Point, m.Type, m.Source)
}

// MountedError reports that a tree was not removed because of mounts in it.
type MountedError struct {
	// Path is the root of the tree.
	Path   string
	Mounts []Mount
}

func (e *MountedError) Error() string {
	names := make([]string, len(e.Mounts))
	for i, m := range e.Mounts {
		names[i] = m.String()
	}
	umount := ""
	if len(e.Mounts) > 0 {
		umount = ": run 'umount " + e.Mounts[0].Point + "' and repeat the command"
	}
	return fmt.Sprintf("remove %s: the tree has mounts: %s%s", e.Path, strings.Join(names, ", "), umount)
}

// MountsBelow returns the mounts at path and below it, the last mount first. Links
// in path are resolved. On a system without a mount table there are none.
func MountsBelow(path string) ([]Mount, error) { return mountsBelow(Resolve(path)) }

// mountsBelow is MountsBelow for a path whose links are resolved as needed.
func mountsBelow(path string) ([]Mount, error) {
	data, err := os.ReadFile(mountTable)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the mounts below %s: %w", path, err)
	}
	return parseMounts(string(data), path), nil
}

// parseMounts returns the mounts at and below a resolved path, the last mount first.
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

// ParseMount parses a line of the mount table. The fields are separated by single
// spaces; spaces, tabs, newlines and backslashes in them are octal escapes. See
// proc_pid_mountinfo(5).
func ParseMount(line string) (Mount, bool) {
	// Any number of optional fields follow the sixth one, up to a hyphen.
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

// CheckUnmounted returns a *MountedError if there is a mount at or below one of the
// paths. It does not follow a link that is the last element of a path.
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
