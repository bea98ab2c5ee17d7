package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// state is saved for the next daemon. The processes of the machine decide whether an
// engine runs; without a valid state file the driver must search them.
type state struct {
	// Engine is the one that was started last; the next fields are its process.
	Engine    appv1.EngineName `json:"engine,omitempty"`
	PID       int              `json:"pid,omitempty"`
	StartTime uint64           `json:"startTime,omitempty"`
	BootID    string           `json:"bootID,omitempty"`
	// Stopping is set when the process, or its remaining containers, get the signal
	// to stop. It is cleared when all have ended or another engine starts.
	Stopping *stopping `json:"stopping,omitempty"`
	// Subnet is the address of the bridge in CIDR form, such as 172.16.7.1/24. The
	// next start uses it again, so that containers keep their addresses.
	Subnet string `json:"subnet,omitempty"`
	// Range is the property containerEngine.subnet of the engine that was started last.
	Range string `json:"range,omitempty"`
	// Settings are the settings of the engine that was started last; see engineconfig.
	Settings string `json:"settings,omitempty"`
	// Networks are the engine's networks when they were last read.
	Networks []network `json:"networks,omitempty"`
	// Forwarding has the host's settings before the first start of an engine.
	Forwarding *forwarding `json:"forwarding,omitempty"`
	// Key is the key that the engine made outside of the instance's directories.
	Key *keyRecord `json:"key,omitempty"`
}

// stopping is a stop under way. It outlives the daemon, so that the next attempt or
// the next daemon waits for this stop, and sends no second signal.
type stopping struct {
	Since time.Time `json:"since"`
	// Until is the deadline, after which remaining processes are killed; zero for
	// none.
	Until time.Time `json:"until,omitzero"`
	// Signalled reports whether containers get their stop signal by this stop. An
	// engine with live-restore ends without signalling them.
	Signalled bool `json:"signalled"`
}

// passed reports whether the deadline has passed.
func (s stopping) passed() bool { return !s.Until.IsZero() && !time.Now().Before(s.Until) }

// stop returns the stop under way, if it began in this boot of the machine.
func (s state) stop() (stopping, bool) {
	if s.Stopping == nil || s.BootID != process.BootID() {
		return stopping{}, false
	}
	return *s.Stopping, true
}

// stopOf returns the stop under way of an engine's process.
func (s state) stopOf(p process.Process) (stopping, bool) {
	if s.PID != p.PID || s.StartTime != p.Start {
		return stopping{}, false
	}
	return s.stop()
}

// network is a bridge with its subnets in CIDR form.
type network struct {
	Bridge  string   `json:"bridge"`
	Subnets []string `json:"subnets,omitempty"`
	// Foreign marks a bridge that the engine uses but did not make.
	Foreign bool `json:"foreign,omitempty"`
}

// forwarding has the settings of the host that dockerd changes when it starts, and
// never restores.
type forwarding struct {
	// Enabled is net.ipv4.ip_forward.
	Enabled bool `json:"enabled"`
	// Policy of the filter table's FORWARD chain, such as ACCEPT.
	Policy string `json:"policy"`
}

// keyRecord is a key that the engine made outside of the instance's directories.
// dockerd before version 23 keeps its identity at a fixed path, which all engines of
// the user share.
type keyRecord struct {
	Path string `json:"path"`
	// Dirs were made for the key, the inner one first.
	Dirs []string `json:"dirs,omitempty"`
	// Inode and Modified (nanoseconds since 1970) distinguish the file from a later one.
	Inode    uint64 `json:"inode"`
	Modified int64  `json:"modified"`
}

// load reads the state. It returns an empty one if the file is missing or invalid.
func load(path string) state {
	data, err := os.ReadFile(path)
	var s state
	if err != nil || json.Unmarshal(data, &s) != nil {
		return state{}
	}
	return s
}

// save writes the state atomically.
func (s state) save(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the engine's state: %w", err)
	}
	return writeFile(path, append(data, '\n'))
}

// writeFile replaces a file atomically. Only its owner can read the file.
func writeFile(path string, data []byte) error {
	if err := instance.ReplaceFile(path, data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// removeFile removes a file. A missing file is no error.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}
