package agent

import (
	"fmt"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

func keyFile(p limahost.Paths) string { return filepath.Join(p.LimaHome, "_config", "user") }

func knownHosts(p limahost.Paths) string { return filepath.Join(p.Dir(), "known_hosts") }

// writeSSHConfig writes the configuration for ssh as a command. It trusts the
// same host key as the agent does.
func writeSSHConfig(p limahost.Paths, user string, port int) error {
	text := fmt.Sprintf(`# For 'ssh -F THIS_FILE %[1]s'. Written at each start of the VM.
Host %[1]s
  HostName 127.0.0.1
  Port %[2]d
  User %[3]s
  IdentityFile "%[4]s"
  IdentitiesOnly yes
  PreferredAuthentications publickey
  BatchMode yes
  HostKeyAlias %[1]s
  UserKnownHostsFile "%[5]s"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  LogLevel ERROR
  ControlMaster no
  ControlPath none
`, limahost.SSHHost, port, user, keyFile(p), knownHosts(p))
	if err := instance.ReplaceFile(p.SSHConfig(), []byte(text)); err != nil {
		return fmt.Errorf("write the configuration for ssh: %w", err)
	}
	return nil
}
