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

// Config says where an instance's VM lives.
type Config struct {
	// Home is the Lima home of the instance: absolute, and short, because sockets
	// are in it. It is the driver's alone; Delete removes it.
	Home string
	// LogDir gets hostagent.log.
	LogDir string
	// Socket at which Docker answers on this machine. A containerd answers at
	// containerd.sock beside it.
	Socket string
	// Program is the host agent's command, to which the Lima home is added as the
	// last argument; empty: this program with the argument hostagent.
	Program []string
	// Logger; nil logs nothing.
	Logger *slog.Logger
	// Getenv reads PATH and what else is known of this process's surroundings;
	// nil is os.Getenv.
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

// New returns the driver of one instance. It touches nothing until Start.
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

// socket of an engine on this machine.
func (d *Driver) socket(engine appv1.EngineName) (string, error) {
	switch engine {
	case "", appv1.EngineMoby:
		return d.cfg.Socket, nil
	case appv1.EngineContainerd:
		return filepath.Join(filepath.Dir(d.cfg.Socket), filename.ContainerdSocket), nil
	default:
		return "", fmt.Errorf("driver lima has no engine %q; choose moby or containerd", engine)
	}
}

// maxSocketPath is the longest path of a unix socket: sun_path of sockaddr_un
// has 104 bytes on macOS, 108 on Linux, the last of which is a zero.
const maxSocketPath = 103

// checkSockets refuses paths that the kernel would refuse later, less clearly.
func (d *Driver) checkSockets(engine appv1.EngineName) error {
	socket, err := d.socket(engine)
	if err != nil {
		return err
	}
	for _, path := range []string{socket, d.paths.Socket(), d.paths.QMP()} {
		if len(path) > maxSocketPath {
			return fmt.Errorf("the socket's path %s has %d characters, the kernel allows %d; use a shorter instance name or home directory", path, len(path), maxSocketPath)
		}
	}
	return nil
}
