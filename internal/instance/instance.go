package instance

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
)

// DefaultName is the name of the default instance.
const DefaultName = "2"

// EnvName is the environment variable with the name of the instance.
const EnvName = "RDD_INSTANCE"

// namePattern excludes path separators, a leading dot or dash, and names that exceed a
// path element of 255 bytes.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

// Instance has the paths of an instance. Instances of different names share no file.
type Instance struct {
	// Name is the name as the user entered it.
	Name string
	// Dir has all files that are in no other directory.
	Dir string
	// LogDir has the logs.
	LogDir string
	// ShortDir has the sockets; its path is short enough for their addresses.
	ShortDir string
	// LimaHome is LIMA_HOME of the instance's virtual machines.
	LimaHome string
	// TLSDir has certificates, keys and tokens.
	TLSDir string
	// DataDir has the datastore and the data of a native engine.
	DataDir string
	// Config is the kubeconfig.
	Config string
	// PidFile is locked by the daemon while it is running.
	PidFile string
	// ArgsFile has the arguments of the daemon's last start.
	ArgsFile string
	// DockerSocket is the socket of the instance's engine for Docker clients.
	DockerSocket string
}

// Path is one path of an instance, with the key that scripts use.
type Path struct {
	Key   string
	Value string
}

// New returns the instance with the given name. An empty name means $RDD_INSTANCE, or
// DefaultName if that is empty too. New accesses no file.
func New(name string) (Instance, error) {
	if name == "" {
		name = os.Getenv(EnvName)
	}
	if name == "" {
		name = DefaultName
	}
	env, err := environment()
	if err != nil {
		return Instance{}, err
	}
	return build(name, env)
}

// environment returns what determines the paths of this process's instances.
func environment() (hostEnv, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return hostEnv{}, fmt.Errorf("find the home directory: %w: set HOME and repeat the command", err)
	}
	return hostEnv{
		goos: runtime.GOOS, home: home, uid: os.Getuid(),
		dataHome: os.Getenv("XDG_DATA_HOME"), stateHome: os.Getenv("XDG_STATE_HOME"),
	}, nil
}

// Validate returns an error if name is not a valid name of an instance.
func Validate(name string) error {
	if namePattern.MatchString(name) {
		return nil
	}
	if name == "" {
		return errors.New("the instance name is empty: set one with --instance or " + EnvName)
	}
	const maxShown = 60
	shown := name
	if len(shown) > maxShown {
		shown = shown[:maxShown] + "…"
	}
	return fmt.Errorf("instance name %q is not valid: use up to 200 letters, digits, '.', '_' and '-', starting with a letter or digit", shown)
}

// Paths returns the paths that scripts may request, in the documented order.
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
