package rddtest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestCPUTimeAcceptsAnyProgramName(t *testing.T) {
	for stat, want := range map[string]time.Duration{
		"12 (rdd) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0":       2 * time.Second,
		"12 (a ) b) 9) S 1 2 3 4 5 6 7 8 9 10 1 0 0 0 20 0 7 8": 10 * time.Millisecond,
	} {
		got, err := cpuTime(stat)
		if err != nil || got != want {
			t.Errorf("cpuTime(%q) = %v, %v; want %v", stat, got, err, want)
		}
	}
	if _, err := cpuTime("12 (rdd) S 1 2"); err == nil {
		t.Error("a truncated line is accepted")
	}
}

func TestReadFieldMatchesWholeNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "status")
	testkit.WriteFile(t, file, "Name:\trdd\nVmRSS:\t  300 kB\nRssAnon:\t  120 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t3\n")
	for field, want := range map[string]int64{"RssAnon:": 120, "voluntary_ctxt_switches:": 7, "nonvoluntary_ctxt_switches:": 3} {
		got, err := ReadField(file, field)
		if err != nil || got != want {
			t.Errorf("ReadField(%s) = %d, %v; want %d", field, got, err, want)
		}
	}
	if _, err := ReadField(file, "VmSwap:"); err == nil {
		t.Error("a missing field is found")
	}
}
