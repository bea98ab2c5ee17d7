package machine

import (
	"fmt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// writeSSHConfig writes a configuration for the program ssh. It trusts the same host
// key as the agent does.
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
`, limahost.SSHHost, port, user, p.KeyFile(), p.KnownHosts())
	if err := instance.ReplaceFile(p.SSHConfig(), []byte(text)); err != nil {
		return fmt.Errorf("write the configuration for ssh: %w", err)
	}
	return nil
}
