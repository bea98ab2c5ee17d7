package limahost

import (
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Paths are the files of a VM.
type Paths struct {
	// LimaHome is the root of all paths except the log.
	LimaHome string
	LogDir   string
}

// Dir is Lima's directory of the VM.
func (p Paths) Dir() string { return filepath.Join(p.LimaHome, Instance) }

// Config is the file with the Config.
func (p Paths) Config() string { return filepath.Join(p.LimaHome, filename.HostAgentConfig) }

// Current is the file with the Spec of the VM that was started last. It is written before
// the start of the machine, and removed with the disk.
func (p Paths) Current() string { return filepath.Join(p.Dir(), "spec.json") }

// Disk is the VM's disk, with all data that was written since it was made.
func (p Paths) Disk() string { return filepath.Join(p.Dir(), "diffdisk") }

// Record is the file with facts about the machine, such as whether an engine was ever
// ready on this disk. It is removed with the disk.
func (p Paths) Record() string { return filepath.Join(p.Dir(), "machine.json") }

// Making marks an incomplete VM. It is created before the VM's directory is removed or
// created, and removed before the machine is started.
func (p Paths) Making() string { return filepath.Join(p.LimaHome, filename.Making) }

// ExitStatus is the file with the ExitStatus of the last agent.
func (p Paths) ExitStatus() string { return filepath.Join(p.LimaHome, filename.End) }

// PidFile has the agent's pid. The agent holds a lock on it as long as it runs.
func (p Paths) PidFile() string { return filepath.Join(p.LimaHome, filename.HostAgentPid) }

// Socket is the socket at which the agent serves its Status.
func (p Paths) Socket() string { return filepath.Join(p.LimaHome, filename.HostAgentSocket) }

// AgentLog is the agent's own log.
func (p Paths) AgentLog() string { return filepath.Join(p.LogDir, filename.HostAgentLog) }

// Console is the log of the guest's serial console.
func (p Paths) Console() string { return filepath.Join(p.Dir(), "serial.log") }

// MachinePidFile has QEMU's pid.
func (p Paths) MachinePidFile() string { return filepath.Join(p.Dir(), "qemu.pid") }

// QMP is the socket of QEMU's machine protocol.
func (p Paths) QMP() string { return filepath.Join(p.Dir(), "qmp.sock") }

// QEMULog has the output of QEMU.
func (p Paths) QEMULog() string { return filepath.Join(p.Dir(), "qemu.log") }

// Virtiofsd is the file with the pid of the process that shares directories with the VM.
func (p Paths) Virtiofsd() string { return filepath.Join(p.Dir(), "virtiofsd.json") }

// VirtiofsdLog has the output of the process of Virtiofsd.
func (p Paths) VirtiofsdLog() string { return filepath.Join(p.Dir(), "virtiofsd.log") }

// KeyFile is the private key for the guest's SSH server.
func (p Paths) KeyFile() string { return filepath.Join(p.LimaHome, filename.LimaConfig, "user") }

// KnownHosts has the guest's host key.
func (p Paths) KnownHosts() string { return filepath.Join(p.Dir(), "known_hosts") }

// SSHConfig is a configuration for `ssh -F FILE lima-rdd`.
func (p Paths) SSHConfig() string { return filepath.Join(p.Dir(), "ssh.config") }
