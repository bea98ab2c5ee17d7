package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

const output = `goos: linux
pkg: example/bench
some test printed this
BenchmarkFullSync/images=500/latency=1ms/pool=8-2   	       1	 500000000 ns/op	       400 ms/sync	      1402 writes/sync
BenchmarkFullSync/images=500/latency=1ms/pool=8-2   	       1	 500000000 ns/op	       420 ms/sync	      1402 writes/sync
BenchmarkFullSync/images=500/latency=1ms/pool=8-2   	       1	 500000000 ns/op	       410 ms/sync	      1402 writes/sync
BenchmarkFullSync/images=500/latency=0s/pool=8-2    	       1	 300000000 ns/op	       300 ms/sync	      1402 writes/sync
BenchmarkBaselineFullSync/images=500/latency=1ms-2  	       1	4100000000 ns/op	      4100 ms/sync
BenchmarkSpawn-2   	  400000	      3300 ns/op	     742 B/op	       9 allocs/op
PASS
`

func parsed(t *testing.T) []*family {
	t.Helper()
	families, err := parseBenchmarks(strings.NewReader(output), "bench.txt", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func TestBenchmarksAreTables(t *testing.T) {
	families := parsed(t)
	if len(families) != 3 {
		t.Fatalf("%d families", len(families))
	}
	sync := families[0]
	if sync.Name != "FullSync" || len(sync.Cases) != 2 || strings.Join(sync.Units, " ") != "sec/op ms/sync writes/sync" {
		t.Errorf("FullSync: %+v", sync)
	}
	first := sync.Cases[0]
	if first.Case() != "images=500, latency=1ms, pool=8" || first.Value("ms/sync") != "410" || first.Value("writes/sync") != "1402" {
		t.Errorf("case %q: %s ms, %s writes", first.Case(), first.Value("ms/sync"), first.Value("writes/sync"))
	}
	spawn := families[2].Cases[0]
	if spawn.Case() != "all" || spawn.Value("sec/op") != "3.300µs" || spawn.Value("allocs/op") != "9" || spawn.Value("ms/sync") != "" {
		t.Errorf("case %q: %s", spawn.Case(), spawn.Value("sec/op"))
	}
}

func TestRatioComparesSameCase(t *testing.T) {
	sync := parsed(t)[0]
	if !sync.HasRatio || sync.Cases[0].Ratio() != "10.0" {
		t.Errorf("ratio of the same case is %q", sync.Cases[0].Ratio())
	}
	if got := sync.Cases[1].Ratio(); got != "" {
		t.Errorf("ratio of a case that the baseline does not have is %q", got)
	}
}

func TestMissingFileHasNoBenchmarks(t *testing.T) {
	families, err := readBenchmarks(filepath.Join(t.TempDir(), "none"), slog.New(slog.DiscardHandler))
	if err != nil || families != nil {
		t.Errorf("readBenchmarks = %v, %v", families, err)
	}
}

// measured returns a small run with everything that the page shows.
func measured() *figures.Run {
	run := &figures.Run{Date: time.Unix(1e9, 0).UTC(), Commit: "abc", Engine: figures.Engine{Name: "dockerd"}}
	lags := run.Figure(figures.Events, "latency, volume created", figures.Milliseconds, figures.GoalAt(50, 2), figures.GoalAt(99, 5))
	for i := range 100 {
		lags.Values = append(lags.Values, float64(i)/20)
		lags.Baseline = append(lags.Baseline, float64(i)/2)
	}
	run.Figure(figures.Sync, "full sync", figures.Seconds, figures.Goal(0.5)).Values = []float64{0.4}
	run.Figure(figures.Requests, "created by a request", figures.Milliseconds, figures.Goal(10)).Values = []float64{7}
	run.Figure(figures.Streams, "log", figures.MegabytesPerSecond).Values = []float64{90}
	for _, n := range []int{100, 500, 10000} {
		run.Point(figures.CurveSync, "rdd", figures.Seconds, n, float64(n)/1000)
		run.Point(figures.CurveSync, "baseline", figures.Seconds, n, float64(n)/100)
		run.Point(figures.CurveMemory, "rdd", figures.Megabytes, n, 80)
	}
	return run
}

func TestPageHasFiguresAndText(t *testing.T) {
	words, err := os.ReadFile("benchmarks.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	browser := &figures.Run{Date: time.Unix(2e9, 0).UTC(), Commit: "def"}
	browser.Figure(figures.Browser, "first rows", figures.Milliseconds, figures.Goal(300)).Values = []float64{250, 240}
	if err := page(&text, string(words), measured(), browser, parsed(t)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# How fast and how big\n", "commit abc", "| full sync | 0.5 s, met | 0.4 s    |", "latency, volume created, p99",
		"| created by a request | 10 ms, met | 7 ms     |", "| log     | 90 MB/s  |",
		"## The page", "commit def", "| first rows | 300 ms, met | 240 ms (240 to 250) |",
		"## The VM", "## What takes the rest of the time", "### FullSync", "| images=500, latency=1ms, pool=8 | 500.0ms | 410 | 1402 | 10.0 |",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "<no value>") {
		t.Error("the page shows a value that is not there")
	}
}

func TestPlotsAreDrawn(t *testing.T) {
	for name, run := range map[string]*figures.Run{"full": measured(), "empty": {}} {
		for file, draw := range plots(run) {
			var svg strings.Builder
			if err := draw(&svg); err != nil {
				t.Fatalf("%s, %s: %v", name, file, err)
			}
			if !strings.Contains(svg.String(), "</svg>") {
				t.Errorf("%s, %s: no SVG", name, file)
			}
			if name == "full" && strings.Contains(svg.String(), "NaN") {
				t.Errorf("%s, %s: a coordinate is not a number", name, file)
			}
		}
	}
}

func TestWriteMakesAllFiles(t *testing.T) {
	dir := t.TempDir()
	opts := options{
		endToEnd: dir + "/run.json", browser: dir + "/none", benchmarks: dir + "/none", template: "benchmarks.md.tmpl",
		page: dir + "/page.md", plots: dir + "/plots",
	}
	if err := measured().Write(opts.endToEnd); err != nil {
		t.Fatal(err)
	}
	if err := write(opts, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"page.md", "plots/sync.svg", "plots/latency.svg", "plots/memory.svg"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
			t.Errorf("%s was not written: %v", file, err)
		}
	}
}
