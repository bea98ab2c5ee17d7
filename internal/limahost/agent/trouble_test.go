package agent

import (
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// A text that changes with each look at a full disk is written to the App each
// time, for as long as the disk is full.
func TestTroubleDoesNotChangeWithTheFreeSpace(t *testing.T) {
	guest := func(free int64) string {
		return diskTrouble(&limahost.Guest{DiskSize: 64 * gib, DiskFree: free, Uptime: time.Hour}, 64*gib)
	}
	host := func(free int64) string {
		return machineTrouble(sight{condition: starved, dir: "/d", free: free})
	}
	for what, texts := range map[string][2]string{
		"guest": {guest(100 << 20), guest(101 << 20)},
		"host":  {host(1 << 20), host(2 << 20)},
		"waken": {host(1 * gib), host(2 * gib)},
	} {
		if texts[0] == "" || texts[0] != texts[1] {
			t.Errorf("%s: %q and then %q", what, texts[0], texts[1])
		}
	}
}
