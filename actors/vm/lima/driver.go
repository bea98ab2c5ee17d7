package lima

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// Config has the paths of an instance's VM.
type Config struct {
	// Home is the Lima home of the instance. Its path is absolute, and short because
	// it contains sockets. Delete removes it.
	Home string
	// LogDir is the directory of hostagent.log.
	LogDir string
	// Socket is the path of Docker's socket on this machine. containerd uses
	// containerd.sock in the same directory.
	Socket string
	// Program is the host agent's command without its last argument, the Lima home.
	// The default is this program with the argument hostagent.
	Program []string
	// Logger; nil logs nothing.
	Logger *slog.Logger
	// Getenv returns environment variables; nil is os.Getenv.
	Getenv func(string) string
}

// Driver implements vm.Driver.
type Driver struct {
	cfg    Config
	paths  limahost.Paths
	client *limahost.Client
	log    *slog.Logger
	limits limits
}

var _ vm.Driver = (*Driver)(nil)

// New returns the driver of one instance. It changes nothing until Start.
func New(c Config) *Driver {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Getenv == nil {
		c.Getenv = os.Getenv
	}
	paths := limahost.Paths{LimaHome: c.Home, LogDir: c.LogDir}
	return &Driver{cfg: c, paths: paths, client: limahost.NewClient(paths), log: c.Logger, limits: defaultLimits()}
}

// Name implements vm.Driver.
func (d *Driver) Name() appv1.DriverName { return appv1.DriverLima }

// Managed implements vm.Driver: the VM is rdd's own.
func (d *Driver) Managed() bool { return true }

// socket returns the path of an engine's socket on this machine.
func (d *Driver) socket(engine appv1.EngineName) (string, error) {
	switch engine {
	case "", appv1.EngineMoby:
		return d.cfg.Socket, nil
	case appv1.EngineContainerd:
		return filepath.Join(filepath.Dir(d.cfg.Socket), filename.ContainerdSocket), nil
	default:
		return "", fmt.Errorf("driver lima has no engine %q: choose moby or containerd", engine)
	}
}

// maxSocketPath is the longest path of a unix socket: sun_path of sockaddr_un
// has 104 bytes on macOS, 108 on Linux, the last of which is a zero.
const maxSocketPath = 103

// checkSockets refuses paths that are too long for the kernel.
func (d *Driver) checkSockets(engine appv1.EngineName) error {
	socket, err := d.socket(engine)
	if err != nil {
		return err
	}
	for _, path := range []string{socket, d.paths.Socket(), d.paths.QMP()} {
		if len(path) > maxSocketPath {
			return fmt.Errorf("the path of the socket %s has %d characters, and the kernel allows %d: use a shorter instance name or home directory", path, len(path), maxSocketPath)
		}
	}
	return nil
}
