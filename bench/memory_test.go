package bench_test

import (
	"runtime/debug"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// memory is the private memory of the process, in MB of 1024 KiB, at some time.
type memory float64

// measureMemory is called before a daemon starts. Earlier daemons of this process
// have left garbage, and what the libraries never release.
func measureMemory() memory {
	debug.FreeOSMemory() // finalizers and pools need a second round
	debug.FreeOSMemory()
	return memory(rssAnon())
}

// added returns the private memory that was added since. It includes that of the
// simulated engine and of clients that watch.
func (m memory) added() float64 { return rssAnon() - float64(m) }

// rssAnon returns 0 on systems that do not report it.
func rssAnon() float64 {
	kilobytes, err := rddtest.ReadField("/proc/self/status", "RssAnon:")
	if err != nil {
		return 0
	}
	return float64(kilobytes) / 1024
}
