package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// describe returns a run without figures.
func describe(program string) (*figures.Run, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("read %s ('make build' creates it): %w", program, err)
	}
	memory, err := rddtest.ReadField("/proc/meminfo", "MemTotal:")
	if err != nil {
		return nil, err
	}
	average, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return nil, fmt.Errorf("read the load: %w", err)
	}
	load, err := strconv.ParseFloat(strings.Fields(string(average))[0], 64)
	if err != nil {
		return nil, fmt.Errorf("read the load: %w", err)
	}
	run := &figures.Run{
		Date:    time.Now().UTC().Truncate(time.Second),
		Machine: figures.Machine{Cores: runtime.NumCPU(), Memory: memory << 10, Go: info.GoVersion, Load: load},
		Engine:  figures.Engine{Name: "in-memory engine behind the Docker API"},
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			run.Commit = s.Value[:min(len(s.Value), 12)] + run.Commit
		case "vcs.modified":
			if s.Value == "true" {
				run.Commit += " with changes"
			}
		}
	}
	return run, nil
}

// merge replaces figures and curves of an earlier run by those of a later one, which
// measured fewer parts.
func merge(earlier, later *figures.Run) *figures.Run {
	for _, old := range earlier.Figures {
		if !hasFigure(later, old.Name) {
			later.Figures = append(later.Figures, old)
		}
	}
	for _, old := range earlier.Curves {
		if !hasCurve(later, old.Name) {
			later.Curves = append(later.Curves, old)
		}
	}
	return later
}

func hasFigure(run *figures.Run, name string) bool {
	for _, f := range run.Figures {
		if f.Name == name {
			return true
		}
	}
	return false
}

func hasCurve(run *figures.Run, name string) bool {
	for _, c := range run.Curves {
		if c.Name == name {
			return true
		}
	}
	return false
}
