package instance

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
)

// DefaultName is the instance that is meant when none is named.
const DefaultName = "2"

// EnvName is the environment variable that names the instance.
const EnvName = "RDD_INSTANCE"

// namePattern keeps names free of separators, of a leading dot or dash, and
// short enough for one path element of 255 bytes on every file system.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

// Instance says where one instance keeps its files. Two instances with
// different names share none of them.
type Instance struct {
	// Name as the user gave it.
	Name string
	// Dir holds everything that has no other place.
	Dir string
	// LogDir holds the logs.
	LogDir string
	// ShortDir is short enough for the sockets below it.
	ShortDir string
	// LimaHome is LIMA_HOME of the instance's virtual machines.
	LimaHome string
	// TLSDir holds certificates, keys and tokens.
	TLSDir string
	// DataDir holds the datastore and the data of a native engine.
	DataDir string
	// Config is the kubeconfig.
	Config string
	// PidFile is locked by the daemon for as long as it lives.
	PidFile string
	// ArgsFile holds the arguments the daemon was started with.
	ArgsFile string
	// DockerSocket is where a Docker client finds the instance's engine.
	DockerSocket string
}

// Path is one path of an instance under the name that scripts use.
type Path struct {
	Key   string
	Value string
}

// New returns the instance called name; an empty name means $RDD_INSTANCE, or
// else DefaultName. It touches no file.
func New(name string) (Instance, error) {
	if name == "" {
		name = os.Getenv(EnvName)
	}
	if name == "" {
		name = DefaultName
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return Instance{}, fmt.Errorf("find the home directory: %w; set HOME and try again", err)
	}
	return build(name, surroundings{
		goos: runtime.GOOS, home: home, uid: os.Getuid(),
		dataHome: os.Getenv("XDG_DATA_HOME"), stateHome: os.Getenv("XDG_STATE_HOME"),
	})
}

// Validate says whether name can be the name of an instance.
func Validate(name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	if name == "" {
		return errors.New("an instance needs a name")
	}
	const longest = 60
	shown := name
	if len(shown) > longest {
		shown = shown[:longest] + "…"
	}
	return fmt.Errorf("instance name %q: use up to 200 letters, digits, '.', '_' and '-', beginning with a letter or digit", shown)
}

// Paths lists the paths that scripts may ask for, in the documented order.
func (i Instance) Paths() []Path {
	return []Path{
		{"dir", i.Dir},
		{"log_dir", i.LogDir},
		{"short_dir", i.ShortDir},
		{"lima_home", i.LimaHome},
		{"tls_dir", i.TLSDir},
		{"config", i.Config},
		{"pid_file", i.PidFile},
		{"args_file", i.ArgsFile},
		{"docker_socket", i.DockerSocket},
	}
}
