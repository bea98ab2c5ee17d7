package machine

import (
	"path/filepath"
	"runtime"
	"strings"

	"github.com/lima-vm/lima/pkg/store/filenames"
)

// balloon is the device by which a guest reports free memory, which QEMU returns to the
// host.
const balloon = "virtio-balloon-pci,free-page-reporting=on"

// withReclaim adds to the arguments of a QEMU how it returns memory and disk space to the
// host. Lima's drives accept discards already; with detect-zeroes they also need no space
// for blocks of zeros that the guest writes. QEMU returns memory only on Linux, and
// supports one balloon only, so that one among the user's own arguments is kept.
func withReclaim(args []string) []string {
	args = append([]string{}, args...)
	hasBalloon := false
	for i, arg := range args {
		hasBalloon = hasBalloon || strings.HasPrefix(arg, "virtio-balloon")
		file, found := strings.CutPrefix(arg, "file=")
		file, _, _ = strings.Cut(file, ",")
		if found && filepath.Base(file) == filenames.DiffDisk && strings.HasSuffix(arg, ",discard=on") {
			args[i] = arg + ",detect-zeroes=unmap"
		}
	}
	if runtime.GOOS == "linux" && !hasBalloon {
		args = append(args, "-device", balloon)
	}
	return args
}
