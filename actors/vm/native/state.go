package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// state is what must outlive the daemon. It is a help, not the truth: that an
// engine runs is derived from processes, and a state file that is lost, stale
// or broken costs a search at most.
type state struct {
	// Engine that was started last, and its process.
	Engine    appv1.EngineName `json:"engine,omitempty"`
	PID       int              `json:"pid,omitempty"`
	StartTime uint64           `json:"startTime,omitempty"`
	BootID    string           `json:"bootID,omitempty"`
	// Stopping is set from the signal that asked that process, or what is left of
	// its containers, to stop until both are gone or another engine is started.
	Stopping *stopping `json:"stopping,omitempty"`
	// Subnet of the bridge in CIDR form with the bridge's own address, such as
	// 172.16.7.1/24. It is kept, so that containers keep their addresses.
	Subnet string `json:"subnet,omitempty"`
	// Range is the property containerEngine.subnet of the engine that was started last.
	Range string `json:"range,omitempty"`
	// Networks are the bridges that the engine made itself, as of the last look.
	Networks []network `json:"networks,omitempty"`
	// Forwarding is how the host was before an engine of this driver changed it.
	Forwarding *forwarding `json:"forwarding,omitempty"`
	// Key is what the engine made outside of the instance's directories.
	Key *keyRecord `json:"key,omitempty"`
}

// stopping is a stop under way. It outlives the daemon, so that a second daemon, or
// a second try, waits for that stop and sends no second signal.
type stopping struct {
	Since time.Time `json:"since"`
	// Until is when what has not stopped is killed; zero for never.
	Until time.Time `json:"until,omitzero"`
	// Signalled is whether containers get, or got, their stop signal by it. With
	// live-restore an engine ends and leaves them alone.
	Signalled bool `json:"signalled"`
}

// passed is whether what has not stopped is to be killed.
func (s stopping) passed() bool { return !s.Until.IsZero() && !time.Now().Before(s.Until) }

// stop is the stop under way in this boot of the machine.
func (s state) stop() (stopping, bool) {
	if s.Stopping == nil || s.BootID != process.BootID() {
		return stopping{}, false
	}
	return *s.Stopping, true
}

// stopOf is the stop under way of an engine's process.
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
	// Foreign is a bridge that the engine uses and did not make.
	Foreign bool `json:"foreign,omitempty"`
}

// forwarding is the part of the host's configuration that dockerd changes when
// it starts and never changes back.
type forwarding struct {
	// Enabled is net.ipv4.ip_forward.
	Enabled bool `json:"enabled"`
	// Policy of the filter table's FORWARD chain, such as ACCEPT.
	Policy string `json:"policy"`
}

// keyRecord is a key that the engine made outside of the instance's directories:
// dockerd before version 23 keeps the key of its identity where all engines of the
// user share it, and no option moves it.
type keyRecord struct {
	Path string `json:"path"`
	// Dirs were made for it, the inner one first.
	Dirs []string `json:"dirs,omitempty"`
	// Inode and Modified (nanoseconds since 1970) tell the file from a later one.
	Inode    uint64 `json:"inode"`
	Modified int64  `json:"modified"`
}

// load reads the state; one that is missing or unreadable is an empty one.
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

// writeFile replaces a file as a whole, readable to its owner only.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// removeFile removes a file that may be gone already.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}
