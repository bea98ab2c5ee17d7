package bench_test

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// memory is how much private memory the process had at some time.
type memory struct {
	tb     testing.TB
	before float64
}

// measureMemory begins before a daemon starts. Earlier daemons of this process
// have left garbage, and what the libraries never let go of.
func measureMemory(tb testing.TB) memory {
	tb.Helper()
	debug.FreeOSMemory() // finalizers and pools need a second round
	debug.FreeOSMemory()
	return memory{tb: tb, before: rssAnon(tb)}
}

// added is the private memory, in MB of 1024 KiB, that came since. The simulated
// engine's work and that of whoever watches are in it.
func (m memory) added() float64 {
	m.tb.Helper()
	return rssAnon(m.tb) - m.before
}

// rssAnon is 0 on systems that do not tell.
func rssAnon(tb testing.TB) float64 {
	tb.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "RssAnon:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				tb.Fatal(err)
			}
			return kib / 1024
		}
	}
	return 0
}
