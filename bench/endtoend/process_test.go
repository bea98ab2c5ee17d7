package main

import (
	"testing"
	"time"
)

func TestCPUOfAProgramWithAnyName(t *testing.T) {
	for stat, want := range map[string]time.Duration{
		"12 (rdd) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0":       2 * time.Second,
		"12 (a ) b) 9) S 1 2 3 4 5 6 7 8 9 10 1 0 0 0 20 0 7 8": 10 * time.Millisecond,
	} {
		got, err := cpuOf(stat)
		if err != nil || got != want {
			t.Errorf("cpuOf(%q) = %v, %v; want %v", stat, got, err, want)
		}
	}
	if _, err := cpuOf("12 (rdd) S 1 2"); err == nil {
		t.Error("a line that ends early is taken")
	}
}

func TestParseStatus(t *testing.T) {
	const text = "Name:\trdd\nVmRSS:\t  300 kB\nRssAnon:\t  120 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t3\n"
	for field, want := range map[string]int64{"RssAnon:": 120, "voluntary_ctxt_switches:": 7, "nonvoluntary_ctxt_switches:": 3} {
		got, err := parseStatus(text, field)
		if err != nil || got != want {
			t.Errorf("parseStatus %s = %d, %v; want %d", field, got, err, want)
		}
	}
	if _, err := parseStatus(text, "VmSwap:"); err == nil {
		t.Error("a field that is missing is found")
	}
}
