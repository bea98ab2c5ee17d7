package limahost

import (
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Instance is the name of the one VM in an instance's Lima home.
const Instance = filename.VM

// SSHHost is the guest's name in ssh.config and known_hosts.
const SSHHost = "lima-" + Instance

// Config is the host agent's configuration. The daemon writes it to a file in the Lima
// home, which each agent of the VM reads.
type Config struct {
	// LimaHome is the Lima home, which holds this one VM.
	LimaHome string `json:"limaHome"`
	// LogDir is the directory of hostagent.log.
	LogDir string `json:"logDir"`
	// Socket is the path of the engine's socket on the host.
	Socket string `json:"socket"`
	// Spec is the VM's desired state.
	Spec Spec `json:"spec"`
	// BootTimeout limits the time from the machine's start until the engine answers.
	BootTimeout time.Duration `json:"bootTimeout"`
}

// Spec has the properties of a VM that a user may choose.
type Spec struct {
	// Engine is the engine whose socket is forwarded: moby or containerd.
	Engine string `json:"engine"`
	// CPUs is the number of virtual CPUs, at least 1.
	CPUs int `json:"cpus"`
	// Memory and Disk are in bytes.
	Memory int64 `json:"memory"`
	Disk   int64 `json:"disk"`
	// Image is empty (the image built for this rdd, or the public one if there is
	// none), "cloud" (the public one), the directory of a built image, or the path
	// of a lima.yaml.
	Image string `json:"image,omitempty"`
	// Acceleration is auto, kvm, hvf, vz or tcg.
	Acceleration string `json:"acceleration"`
	// Mounts are the shared directories, encoded by package mounts; empty for none.
	Mounts string `json:"mounts,omitempty"`
	// Restart and Reset are tokens of any text. A change of Restart requests a
	// restart, a change of Reset a new disk.
	Restart string `json:"restart,omitempty"`
	Reset   string `json:"reset,omitempty"`
	// Settings are the settings of the engine, encoded by engineconfig.
	Settings string `json:"settings,omitempty"`
}
