package instance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// maxShortDir is the maximum length of ShortDir in bytes. A socket's address has at
// most 103 bytes on macOS (107 on Linux), and Lima adds "/lima/NAME/ssh.sock." and 16
// digits.
const maxShortDir = 60

// maxElement is the maximum length of an encoded name, so that it fits into a path
// element of 255 bytes together with a prefix.
const maxElement = 200

// hostEnv has everything but the name that determines the paths.
type hostEnv struct {
	goos, home          string
	dataHome, stateHome string
	uid                 int
}

func build(name string, s hostEnv) (Instance, error) {
	if err := Validate(name); err != nil {
		return Instance{}, err
	}
	if !filepath.IsAbs(s.home) {
		return Instance{}, fmt.Errorf("home directory %q is not an absolute path: set HOME to one", s.home)
	}
	element := name
	if s.goos == "darwin" {
		element = foldable(name)
	}
	i := Instance{Name: name}
	i.Dir, i.LogDir = s.bigDirs(element)
	i.ShortDir = s.shortDir(element, i.Dir)
	i.LimaHome = filepath.Join(i.ShortDir, "lima")
	i.TLSDir = filepath.Join(i.Dir, "tls")
	i.DataDir = filepath.Join(i.Dir, "data")
	i.Config = filepath.Join(i.Dir, filename.Config)
	i.PidFile = filepath.Join(i.Dir, filename.Pid)
	i.ArgsFile = filepath.Join(i.Dir, filename.Args)
	i.DockerSocket = filepath.Join(i.ShortDir, filename.DockerSocket)
	return i, nil
}

// bigDirs returns Dir and LogDir.
func (s hostEnv) bigDirs(element string) (dir, logs string) {
	base := dirPrefix + element
	if s.goos == "darwin" {
		library := filepath.Join(s.home, "Library")
		return filepath.Join(library, "Application Support", base), filepath.Join(library, "Logs", base)
	}
	data, state := s.dataHome, s.stateHome
	// The XDG Base Directory Specification requires ignoring relative paths.
	if !filepath.IsAbs(data) {
		data = filepath.Join(s.home, ".local", "share")
	}
	if !filepath.IsAbs(state) {
		state = filepath.Join(s.home, ".local", "state")
	}
	return filepath.Join(data, base), filepath.Join(state, base, "logs")
}

// shortDir returns ~/.rdNAME, or the first of two hashed paths that is short enough. A
// name never starts with '-', so a hashed path never equals another instance's.
func (s hostEnv) shortDir(element, dir string) string {
	if plain := filepath.Join(s.home, shortPrefix+element); len(plain) <= maxShortDir {
		return plain
	}
	sum := sha256.Sum256([]byte(dir))
	hash := hex.EncodeToString(sum[:6])
	if hashed := filepath.Join(s.home, shortPrefix+"-"+hash); len(hashed) <= maxShortDir {
		return hashed
	}
	// TMPDIR is not used: it is long on macOS, and it differs between a login shell and
	// a service, which must agree on the path.
	return fmt.Sprintf("/tmp/rdd-%d-%s", s.uid, hash)
}

// foldable encodes a name so that different names stay different on a file system that
// ignores case: "Dev" becomes "+dev".
func foldable(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('+')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	if b.Len() <= maxElement {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	return "++" + hex.EncodeToString(sum[:16])
}
