package limahost

import (
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Instance is the name of the one VM in an instance's Lima home.
const Instance = filename.VM

// SSHHost is the name of its guest in ssh.config and known_hosts.
const SSHHost = "lima-" + Instance

// Config is what the daemon tells the host agent. It is a file in the Lima home,
// so that an agent that is started again reads the same.
type Config struct {
	// LimaHome is the Lima home, which holds this one VM.
	LimaHome string `json:"limaHome"`
	// LogDir gets hostagent.log.
	LogDir string `json:"logDir"`
	// Socket is where the engine's socket of the guest appears on the host.
	Socket string `json:"socket"`
	// Spec is what the VM is made from.
	Spec Spec `json:"spec"`
	// BootTimeout bounds the time from the VM's start to an engine that answers.
	BootTimeout time.Duration `json:"bootTimeout"`
}

// Spec is what a user may choose of a VM.
type Spec struct {
	// Engine that is forwarded: moby or containerd.
	Engine string `json:"engine"`
	// CPUs is the number of virtual CPUs, at least 1.
	CPUs int `json:"cpus"`
	// Memory and Disk in bytes.
	Memory int64 `json:"memory"`
	Disk   int64 `json:"disk"`
	// Image is empty (the image that was built for this rdd, else the public
	// one), "cloud" (the public one), the directory of a built image, or the
	// path of a lima.yaml.
	Image string `json:"image,omitempty"`
	// Acceleration is auto, kvm, hvf, vz or tcg.
	Acceleration string `json:"acceleration"`
	// Restart and Reset are any text. Another Restart than the one that the VM
	// was started with asks for a restart, another Reset for a new disk.
	Restart string `json:"restart,omitempty"`
	Reset   string `json:"reset,omitempty"`
}
