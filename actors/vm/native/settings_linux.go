package native

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// settings is dockerd's configuration file. It is the instance's own, so that
// neither /etc/docker/daemon.json nor another instance has an effect.
type settings struct {
	DataRoot    string   `json:"data-root"`
	ExecRoot    string   `json:"exec-root"`
	PIDFile     string   `json:"pidfile"`
	Hosts       []string `json:"hosts"`
	Group       string   `json:"group"`
	Bridge      string   `json:"bridge,omitempty"`
	BridgeIP    string   `json:"bip,omitempty"`
	Pools       []pool   `json:"default-address-pools,omitempty"`
	LiveRestore bool     `json:"live-restore"`
}

// dockerNetwork is the network configuration of dockerd. A rootless dockerd makes
// the bridge itself, in its own network namespace; bridgeIP sets the address of that
// bridge, and is optional.
type dockerNetwork struct {
	bridge, bridgeIP string
	pools            []pool
}

// writeSettings writes the configuration file of either engine.
func writeSettings(k kind, l launcher, n dockerNetwork, liveRestore bool) error {
	if k.engine == appv1.EngineContainerd {
		return writeFile(k.configFile, []byte(containerdConfig(k)))
	}
	data, err := dockerConfig(k, l, n, liveRestore)
	if err != nil {
		return err
	}
	return writeFile(k.configFile, data)
}

// dockerConfig returns the configuration file of dockerd.
func dockerConfig(k kind, l launcher, n dockerNetwork, liveRestore bool) ([]byte, error) {
	n = l.withoutDuplicates(n)
	data, err := json.Marshal(settings{
		DataRoot: k.dataDir, ExecRoot: k.execDir, PIDFile: k.pidFile,
		Hosts: []string{k.endpoint()},
		// By default the group "docker" may use the socket. In the user namespace
		// of a rootless dockerd, 0 is the user's own group.
		Group:       "0",
		Bridge:      n.bridge,
		BridgeIP:    n.bridgeIP,
		Pools:       n.pools,
		LiveRestore: liveRestore,
	})
	own := map[string]any{}
	if err == nil {
		err = json.Unmarshal(data, &own)
	}
	if err == nil {
		data, err = json.MarshalIndent(l.settings.Merge(own), "", "  ")
	}
	if err != nil {
		return nil, fmt.Errorf("encode the configuration of dockerd: %w", err)
	}
	return append(data, '\n'), nil
}

// containerdConfig returns the configuration in version 2 of the format, which
// containerd 1.3 and later support. The disabled plugins are for the kubelet (CRI),
// or write to /opt (opt).
func containerdConfig(k kind) string {
	return fmt.Sprintf(`version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images", "io.containerd.internal.v1.opt"]

[grpc]
  address = %q
  uid = %d
  gid = %d

[ttrpc]
  address = %q
  uid = %d
  gid = %d
`, k.dataDir, k.execDir, k.socket, os.Getuid(), os.Getgid(), k.socket+".ttrpc", os.Getuid(), os.Getgid())
}

// makeDirs makes the directories that the engine needs, private to the user.
func (d *Driver) makeDirs(k kind) error {
	for _, dir := range []string{d.paths.engineDir, d.paths.runDir, d.paths.logDir, k.dataDir, k.execDir, filepath.Dir(k.socket)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make the engine's directory: %w", err)
		}
	}
	// An existing directory may be open to other users.
	if err := os.Chmod(filepath.Dir(k.socket), 0o700); err != nil {
		return fmt.Errorf("make the socket's directory private: %w", err)
	}
	return nil
}

// maxLog is the size in bytes above which a log is rotated at the next start.
const maxLog = 8 << 20

// openLog opens the engine's log for appending. The engine outlives this process and
// writes to the file itself, so that the log can only be rotated before a start. One
// older file is kept.
func openLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("rotate the engine's log: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the engine's log: %w", err)
	}
	return f, nil
}
