package recipe

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/mounts"
)

// setMounts sets the directories that the host shares with the guest, which has them at
// the same paths. The note says why a directory is not shared: a VM starts without a disk
// that is not plugged in.
func setMounts(y *limayaml.LimaYAML, s limahost.Spec, vmType limayaml.VMType) (note string) {
	y.Mounts, y.MountType = nil, nil
	if s.Mounts == "" {
		return ""
	}
	if vmType == limayaml.QEMU && runtime.GOOS != "linux" {
		return "vm.mounts has no effect, because QEMU shares directories on Linux only: use 'rdd set vm.acceleration=vz'"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	list, refused := mounts.Expand(s.Mounts, home)
	var notes []string
	for _, err := range refused {
		notes = append(notes, err.Error())
	}
	for _, m := range list {
		if info, err := os.Stat(m.Path); err != nil {
			notes = append(notes, fmt.Sprintf("%s is not shared with the VM: %v: create the directory and run 'rdd vm restart', or change vm.mounts", m.Path, err))
			continue
		} else if !info.IsDir() {
			notes = append(notes, fmt.Sprintf("%s is not shared with the VM: it is not a directory: change vm.mounts", m.Path))
			continue
		}
		y.Mounts = append(y.Mounts, limayaml.Mount{Location: m.Path, MountPoint: &m.Path, Writable: &m.Writable})
	}
	if len(y.Mounts) > 0 {
		y.MountType = new(limayaml.VIRTIOFS)
	}
	return strings.Join(notes, "; ")
}
