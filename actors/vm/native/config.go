package native

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// Config has the paths of an instance's engine.
type Config struct {
	// Dir is the instance's directory; the engine's data goes to Dir/engine.
	Dir string
	// ShortDir is a directory with a short path on the same machine, for sockets
	// and runtime state. The default is the directory of Socket.
	ShortDir string
	// Socket is the path of Docker's socket. containerd uses containerd.sock in the
	// same directory, which is made private to the user.
	Socket string
	// LogDir gets dockerd.log and containerd.log.
	LogDir string
	// InstanceName is unique among the instances of a user on a machine.
	InstanceName string
	// Logger; nil logs nothing.
	Logger *slog.Logger
	// Getenv reads RDD_DOCKERD, RDD_DOCKERD_ARGS and PATH; nil is os.Getenv.
	Getenv func(string) string
}

// maxSocketPath is the longest path of a unix socket on Linux: sun_path of
// sockaddr_un has 108 bytes, the last of which is a zero.
const maxSocketPath = 107

// paths are all the files of an engine.
type paths struct {
	engineDir string // persistent data
	runDir    string // runtime state, which a reboot may remove
	state     string
	logDir    string
	socketDir string
}

func newPaths(c Config) paths {
	short := c.ShortDir
	if short == "" {
		short = filepath.Dir(c.Socket)
	}
	engine := filepath.Join(c.Dir, filename.Engine)
	return paths{
		engineDir: engine,
		runDir:    filepath.Join(short, filename.Engine),
		state:     filepath.Join(engine, "state.json"),
		logDir:    c.LogDir,
		socketDir: filepath.Dir(c.Socket),
	}
}

// kind is one of the two engines that the driver can run.
type kind struct {
	engine  appv1.EngineName
	program string
	// dataDir and execDir are the engine's data and runtime state.
	dataDir, execDir string
	configFile       string
	pidFile          string // empty if the engine writes none
	socket           string
	log              string
}

func (p paths) kind(engine appv1.EngineName, dockerSocket string) (kind, error) {
	switch engine {
	case "", appv1.EngineMoby:
		return kind{
			engine: appv1.EngineMoby, program: "dockerd",
			dataDir: filepath.Join(p.engineDir, "docker"), execDir: filepath.Join(p.runDir, "docker"),
			configFile: filepath.Join(p.engineDir, "docker.json"), pidFile: filepath.Join(p.runDir, "docker.pid"),
			socket: dockerSocket, log: filepath.Join(p.logDir, filename.DockerdLog),
		}, nil
	case appv1.EngineContainerd:
		return kind{
			engine: appv1.EngineContainerd, program: "containerd",
			dataDir: filepath.Join(p.engineDir, "containerd"), execDir: filepath.Join(p.runDir, "containerd"),
			configFile: filepath.Join(p.engineDir, "containerd.toml"),
			socket:     filepath.Join(p.socketDir, filename.ContainerdSocket), log: filepath.Join(p.logDir, filename.ContainerdLog),
		}, nil
	default:
		return kind{}, fmt.Errorf("driver native has no engine %q; choose moby or containerd", engine)
	}
}

// configArg is the argument that identifies the process of this engine: no other
// process on the machine is started with it.
func (k kind) configArg() string { return "--" + k.configFlag() + "=" + k.configFile }

func (k kind) configFlag() string {
	if k.engine == appv1.EngineContainerd {
		return "config"
	}
	return "config-file"
}

func (k kind) endpoint() string { return "unix://" + k.socket }

// checkSockets refuses paths that the kernel or dockerd would refuse later with a
// less clear error.
func (k kind) checkSockets() error {
	// libnetwork splits the path of its file at commas.
	if k.engine == appv1.EngineMoby && strings.Contains(k.dataDir, ",") {
		return fmt.Errorf("dockerd cannot keep its data in %s, since the path has a comma: set XDG_DATA_HOME to a directory without a comma in its path, for every command of rdd, or use another home directory", k.dataDir)
	}
	for _, path := range []string{k.socket, filepath.Join(k.execDir, "containerd", "containerd.sock.ttrpc")} {
		if len(path) > maxSocketPath {
			return fmt.Errorf("the path of the socket %s has %d characters, and the kernel allows %d: use a shorter instance name or home directory", path, len(path), maxSocketPath)
		}
	}
	return nil
}

// bridgeName returns the name of the instance's bridge: "rdd" and 8 hex digits of
// a hash of what makes the instance unique. The kernel allows 15 characters.
func bridgeName(c Config) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{c.Dir, c.InstanceName}, "\x00")))
	return "rdd" + hex.EncodeToString(sum[:4])
}

// startMark begins the line that rdd writes to an engine's log before each start.
const startMark = "rdd starts "

// readTail returns the last relevant lines of the last start in a log: warnings and
// errors if there are any, else the last lines. It returns "" for an unreadable log.
func readTail(path string, lines int) string {
	const window = 64 << 10
	text, err := logtail.End(path, window)
	if err != nil {
		return ""
	}
	return tail(lastStart(string(text)), lines)
}

// lastStart returns the part of a log after the last line that begins with startMark.
func lastStart(text string) string {
	begin := strings.LastIndex("\n"+text, "\n"+startMark)
	if begin < 0 {
		return text
	}
	_, rest, _ := strings.Cut(text[begin:], "\n")
	return rest
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	var relevant []string
	for _, line := range all {
		if !strings.Contains(line, "level=info") && !strings.Contains(line, "level=debug") {
			relevant = append(relevant, line)
		}
	}
	if len(relevant) == 0 {
		relevant = all
	}
	return strings.Join(relevant[max(0, len(relevant)-lines):], "\n")
}
