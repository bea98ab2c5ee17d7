package lima

import (
	"fmt"
	"runtime"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// defaultCPUs is the property's default, which a machine with one CPU accepts too.
const defaultCPUs = 2

// hostSize is the size of a machine. The memory is in bytes, and 0 if unknown.
type hostSize struct {
	cpus   int
	memory int64
}

func thisHost() hostSize { return hostSize{runtime.NumCPU(), hostMemory()} }

// check refuses a VM that is larger than the machine.
func (h hostSize) check(vm messages.VMProperties) error {
	if most := max(h.cpus, defaultCPUs); vm.CPUs > most {
		return fmt.Errorf("vm.cpus=%d: this machine has %d CPUs: set %d at most, as with 'rdd set vm.cpus=%[3]d'", vm.CPUs, h.cpus, most)
	}
	if h.memory > 0 && vm.Memory > h.memory {
		return fmt.Errorf("vm.memory=%dMi: this machine has %dMi: set less, as with 'rdd set vm.memory=%dMi'", vm.Memory>>20, h.memory>>20, h.memory>>21)
	}
	return nil
}
