package limahost

import (
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Paths are the files of a VM.
type Paths struct {
	// LimaHome is the root of all the others but the log.
	LimaHome string
	LogDir   string
}

// Dir is Lima's directory of the VM.
func (p Paths) Dir() string { return filepath.Join(p.LimaHome, Instance) }

// Config is the file with the Config.
func (p Paths) Config() string { return filepath.Join(p.LimaHome, filename.HostAgentConfig) }

// Current is the file with the Spec of the VM that was started last, written
// before the machine is started. It is there as long as the disk is.
func (p Paths) Current() string { return filepath.Join(p.Dir(), "spec.json") }

// Disk is what the guest has written since the disk was made from its image.
func (p Paths) Disk() string { return filepath.Join(p.Dir(), "diffdisk") }

// Record is the file in which an agent writes down how the machine was made, and
// whether one was ever up on this disk. It is gone with the disk.
func (p Paths) Record() string { return filepath.Join(p.Dir(), "machine.json") }

// Making is there from before the directory of a new VM is made, or that of an
// old one removed, until its machine is about to be started.
func (p Paths) Making() string { return filepath.Join(p.LimaHome, filename.Making) }

// End is the file with the End of the last agent.
func (p Paths) End() string { return filepath.Join(p.LimaHome, filename.End) }

// PidFile names the agent's pid. It is locked by the agent for as long as it lives.
func (p Paths) PidFile() string { return filepath.Join(p.LimaHome, filename.HostAgentPid) }

// Socket of the agent, where it serves its Status.
func (p Paths) Socket() string { return filepath.Join(p.LimaHome, filename.HostAgentSocket) }

// AgentLog is the agent's own log.
func (p Paths) AgentLog() string { return filepath.Join(p.LogDir, filename.HostAgentLog) }

// Console is the log of the guest's serial console.
func (p Paths) Console() string { return filepath.Join(p.Dir(), "serial.log") }

// MachinePidFile is where QEMU writes its pid.
func (p Paths) MachinePidFile() string { return filepath.Join(p.Dir(), "qemu.pid") }

// QMP is the socket of QEMU's machine protocol.
func (p Paths) QMP() string { return filepath.Join(p.Dir(), "qmp.sock") }

// SSHConfig is a configuration for `ssh -F FILE lima-rdd`.
func (p Paths) SSHConfig() string { return filepath.Join(p.Dir(), "ssh.config") }
