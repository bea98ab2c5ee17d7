package recipe

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/mounts"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/virtiofs"
)

// The user in the guest. It does not have the name of the host's user, which may be
// root, or invalid on Linux.
const (
	guestUser = "rdd"
	guestUID  = virtiofs.GuestUser
	guestHome = mounts.GuestHome
)

// nameserver is QEMU's name server, which forwards to the host's.
const nameserver = "192.168.5.3"

// built returns the lima.yaml of a built image.
func built(dir string, s limahost.Spec, vmType limayaml.VMType) (*limayaml.LimaYAML, error) {
	cmdline, err := inspect(dir)
	if err != nil {
		return nil, err
	}
	arch := limayaml.NewArch(runtime.GOARCH)
	file := func(name string) limayaml.File {
		return limayaml.File{Location: filepath.Join(dir, name), Arch: arch}
	}
	initrd := file(image.InitrdFile)
	y := overrides(s, vmType)
	fill := defaults(vmType)
	y.User, y.DNS, y.Containerd = fill.User, fill.DNS, fill.Containerd
	if y.Env, err = settingsVariables(s); err != nil {
		return nil, err
	}
	y.Arch = &arch
	y.Images = []limayaml.Image{{
		File:   file(image.DiskFile),
		Kernel: &limayaml.Kernel{File: file(image.KernelFile), Cmdline: cmdline},
		Initrd: &initrd,
	}}
	// Without a boot loader there is no firmware.
	y.Firmware.LegacyBIOS = new(true)
	if vmType == limayaml.QEMU {
		y.CPUType = limayaml.CPUType{arch: "max"}
	}
	return y, nil
}

// inspect checks that an image is complete and for this architecture. It returns the
// command line of the image's kernel.
func inspect(dir string) (cmdline string, err error) {
	const hint = ": build it with 'make vm-image'"
	text, err := os.ReadFile(filepath.Join(dir, image.ManifestFile))
	if err != nil {
		return "", fmt.Errorf("read the VM's image in %s: %w%s", dir, err, hint)
	}
	var manifest struct {
		Arch string `json:"arch"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return "", fmt.Errorf("read %s: %w%s", filepath.Join(dir, image.ManifestFile), err, hint)
	}
	if here := limayaml.NewArch(runtime.GOARCH); manifest.Arch != "" && manifest.Arch != here {
		return "", fmt.Errorf("the image in %s is for the architecture %s, and this machine has %s%s", dir, manifest.Arch, here, hint)
	}
	for _, name := range []string{image.DiskFile, image.KernelFile, image.InitrdFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return "", fmt.Errorf("the image in %s is incomplete: %w%s", dir, err, hint)
		}
		if info.Size() == 0 {
			return "", fmt.Errorf("the image in %s is incomplete: %s is empty%s", dir, name, hint)
		}
	}
	text, err = os.ReadFile(filepath.Join(dir, image.CmdlineFile))
	if err != nil {
		return "", fmt.Errorf("the image in %s is incomplete: %w%s", dir, err, hint)
	}
	return strings.TrimSpace(string(text)), nil
}

// overrides returns the fields that rdd sets, with those that its host agent needs.
// They take precedence over a user's lima.yaml.
func overrides(s limahost.Spec, vmType limayaml.VMType) *limayaml.LimaYAML {
	y := &limayaml.LimaYAML{
		VMType: &vmType,
		CPUs:   new(max(1, s.CPUs)),
		Memory: new(strconv.FormatInt(s.Memory, 10)),
		Disk:   new(strconv.FormatInt(s.Disk, 10)),
	}
	y.SSH.LocalPort = new(0)
	y.SSH.LoadDotSSHPubKeys = new(false)
	// The resolver would run in the host agent's process, and end with it.
	y.HostResolver.Enabled = new(false)
	return y
}

// defaults returns the fields that rdd sets where a user's lima.yaml does not.
func defaults(vmType limayaml.VMType) *limayaml.LimaYAML {
	y := &limayaml.LimaYAML{}
	y.User = limayaml.User{
		Name: new(guestUser), UID: new(uint32(guestUID)), Home: new(guestHome), Comment: new(guestUser),
	}
	// By default, Lima downloads its own engine.
	y.Containerd = limayaml.Containerd{System: new(false), User: new(false)}
	if vmType == limayaml.QEMU {
		y.DNS = []net.IP{net.ParseIP(nameserver)}
	}
	return y
}
