// Package mounts parses vm.mounts: the directories of the host that a VM shares, each
// PATH, PATH:r or PATH:w.
//
// The rules are those of the CustomResourceDefinition, which a test compares.
package mounts

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// GuestHome is the home of the guest's user, with the key that lets the host log in.
const GuestHome = "/home/rdd"

// Home stands for the user's home at the beginning of a path.
const Home = "~"

// separator cannot be part of a path.
const separator = ","

// Mount is a directory that is shared.
type Mount struct {
	// Path is absolute, or Home, or begins with Home and a slash.
	Path     string
	Writable bool
}

// String returns the mount as in vm.mounts, with :r or :w.
func (m Mount) String() string {
	if m.Writable {
		return m.Path + ":w"
	}
	return m.Path + ":r"
}

// These are also in the rules of appv1.VM.Mounts. QEMU, Lima's YAML and /etc/fstab take
// all paths of pattern.
var (
	pattern  = regexp.MustCompile(`^(~|~?(/[\p{L}\p{M}\p{N}._+@=-]+)+)(:[rw])?$`)
	dots     = regexp.MustCompile(`/\.\.?(/|:|$)`)
	reserved = regexp.MustCompile(`^/((bin|sbin|lib|lib32|lib64|libx32|usr|etc|var|proc|sys|dev|run|boot|home/rdd|mnt/lima-cidata)(/|:|$)|(home|mnt|opt|tmp)(:|$))`)
)

// Parse parses an element of vm.mounts.
func Parse(text string) (Mount, error) {
	if !pattern.MatchString(text) || dots.MatchString(text) {
		return Mount{}, fmt.Errorf("vm.mounts must not have %q: use an absolute path or ~, of letters, digits and ._+@=- and without . and .. as names, with :w at its end if the VM may write, as in ~/work:w", text)
	}
	dir, access, _ := strings.Cut(text, ":")
	if err := checkReserved(dir); err != nil {
		return Mount{}, err
	}
	return Mount{Path: dir, Writable: access == "w"}, nil
}

// Reserved reports whether the VM has files of its own at a path.
func Reserved(dir string) bool {
	// Some Linux systems have the homes there.
	return reserved.MatchString(dir) && !strings.HasPrefix(dir, "/var/home/")
}

func checkReserved(dir string) error {
	if Reserved(dir) {
		return fmt.Errorf("vm.mounts must not have %s, because the VM has files of its own there: share a directory below it, or one elsewhere", dir)
	}
	return nil
}

// List parses vm.mounts.
func List(texts []string) ([]Mount, error) {
	var list []Mount
	for _, text := range texts {
		m, err := Parse(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(other Mount) bool { return other.Path == m.Path }) {
			return nil, fmt.Errorf("vm.mounts has %s twice: remove one", m.Path)
		}
		list = append(list, m)
	}
	return list, nil
}

// checkAbove refuses a directory for reading below a writable one: the VM would reach it
// through the other one, and write to it.
func (m Mount) checkAbove(list []Mount) error {
	for _, above := range list {
		if above.Writable && !m.Writable && strings.HasPrefix(m.Path, above.Path+"/") {
			return fmt.Errorf("vm.mounts has %s for reading, and the VM may write to it, because %s is writable: add :w, or share writable directories beside it", m.Path, above.Path)
		}
	}
	return nil
}

// Encode returns mounts as one text. The texts of equal mounts are equal.
func Encode(list []Mount) string {
	var texts []string
	for _, m := range list {
		texts = append(texts, m.String())
	}
	slices.Sort(texts)
	return strings.Join(texts, separator)
}

// Texts returns the elements of an encoded text, as in vm.mounts. It is never nil.
func Texts(encoded string) []string {
	if encoded == "" {
		return []string{}
	}
	return strings.Split(encoded, separator)
}

// Expand returns an encoded list with the home in place of Home. A directory comes before
// those below it. Those that the VM cannot have are not in the list, and refused says why.
func Expand(encoded, home string) (list []Mount, refused []error) {
	all, err := List(Texts(encoded))
	if err != nil {
		return nil, []error{err}
	}
	for _, m := range all {
		if rest, ok := strings.CutPrefix(m.Path, Home); ok {
			expanded, err := Parse(path.Clean(home) + rest)
			if err != nil {
				refused = append(refused, fmt.Errorf("%s is not shared with the VM: %w", m.Path, err))
				continue
			}
			m.Path = expanded.Path
		}
		if i := slices.IndexFunc(list, func(other Mount) bool { return other.Path == m.Path }); i >= 0 {
			list[i].Writable = list[i].Writable || m.Writable
			continue
		}
		list = append(list, m)
	}
	for _, m := range slices.Clone(list) {
		if err := m.checkAbove(list); err != nil {
			refused = append(refused, fmt.Errorf("%s is not shared with the VM: %w", m.Path, err))
			list = slices.DeleteFunc(list, func(other Mount) bool { return other == m })
		}
	}
	slices.SortFunc(list, func(a, b Mount) int { return strings.Compare(a.Path, b.Path) })
	return list, refused
}

// IsUnshared reports whether a path exists on this machine, and a VM with the encoded
// mounts lacks it.
func IsUnshared(encoded, file string) bool {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	list, _ := Expand(encoded, home)
	if isShared(list, file) || Reserved(file) {
		return false
	}
	return exists(file)
}

// existsTimeout limits the reading of a file system, such as one of a server that is away.
const existsTimeout = 2 * time.Second

// exists reports whether a file is known to exist.
func exists(file string) bool {
	found := make(chan bool, 1)
	go func() {
		_, err := os.Lstat(file)
		found <- err == nil
	}()
	select {
	case is := <-found:
		return is
	case <-time.After(existsTimeout):
		return false
	}
}

func isShared(list []Mount, file string) bool {
	return slices.ContainsFunc(list, func(m Mount) bool {
		return file == m.Path || strings.HasPrefix(file, m.Path+"/")
	})
}
