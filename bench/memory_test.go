package bench_test

import (
	"runtime/debug"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// memory is the private memory of the process at some time, in MB of 1024 KiB.
type memory float64

// measureMemory returns the private memory before a daemon starts. Earlier daemons of
// this process have left garbage, and memory that the libraries never release.
func measureMemory() memory {
	debug.FreeOSMemory() // finalizers and pools need a second round
	debug.FreeOSMemory()
	return memory(rssAnon())
}

// added returns the private memory that was added since then. It includes the memory
// of the simulated engine and of watching clients.
func (m memory) added() float64 { return rssAnon() - float64(m) }

// rssAnon returns 0 on systems that do not report it.
func rssAnon() float64 {
	kilobytes, err := rddtest.ReadField("/proc/self/status", "RssAnon:")
	if err != nil {
		return 0
	}
	return float64(kilobytes) / 1024
}
