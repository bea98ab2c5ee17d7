package instance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
)

// maxShortDir is the longest ShortDir in bytes: a socket's address takes 103
// bytes on macOS (107 on Linux), and Lima puts "/lima/NAME/ssh.sock." and 16
// digits below it.
const maxShortDir = 60

// maxElement is the longest encoded name, so that a prefix still fits into the
// 255 bytes of one path element.
const maxElement = 200

// surroundings is what the paths depend on, besides the name.
type surroundings struct {
	goos, home          string
	dataHome, stateHome string
	uid                 int
}

func build(name string, s surroundings) (Instance, error) {
	if err := Validate(name); err != nil {
		return Instance{}, err
	}
	if !filepath.IsAbs(s.home) {
		return Instance{}, fmt.Errorf("home directory %q is not an absolute path; set HOME to one", s.home)
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
	i.Config = filepath.Join(i.Dir, "config.yaml")
	i.PidFile = filepath.Join(i.Dir, "rdd.pid")
	i.ArgsFile = filepath.Join(i.Dir, "args.json")
	i.DockerSocket = filepath.Join(i.ShortDir, "docker.sock")
	return i, nil
}

// bigDirs returns Dir and LogDir.
func (s surroundings) bigDirs(element string) (dir, logs string) {
	base := "rancher-desktop-" + element
	if s.goos == "darwin" {
		library := filepath.Join(s.home, "Library")
		return filepath.Join(library, "Application Support", base), filepath.Join(library, "Logs", base)
	}
	data, state := s.dataHome, s.stateHome
	// The XDG base directory specification says to ignore relative paths.
	if !filepath.IsAbs(data) {
		data = filepath.Join(s.home, ".local", "share")
	}
	if !filepath.IsAbs(state) {
		state = filepath.Join(s.home, ".local", "state")
	}
	return filepath.Join(data, base), filepath.Join(state, base, "logs")
}

// shortDir is ~/.rdNAME, or the first of two hashed names that is short enough.
// A name never begins with '-', so the hashed ones cannot be another instance's.
func (s surroundings) shortDir(element, dir string) string {
	if plain := filepath.Join(s.home, ".rd"+element); len(plain) <= maxShortDir {
		return plain
	}
	sum := sha256.Sum256([]byte(dir))
	hash := hex.EncodeToString(sum[:6])
	if hashed := filepath.Join(s.home, ".rd-"+hash); len(hashed) <= maxShortDir {
		return hashed
	}
	// TMPDIR is not asked: it is long itself on macOS, and it differs between
	// a login shell and a service, which would then miss each other.
	return fmt.Sprintf("/tmp/rdd-%d-%s", s.uid, hash)
}

// foldable encodes a name so that two names stay different on a file system
// that takes upper and lower case for the same: "Dev" becomes "+dev".
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
