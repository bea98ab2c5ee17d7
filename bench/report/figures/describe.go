package figures

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// Describe returns a run of a program, without figures: its commit and the machine.
func Describe(program string) (*Run, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("read %s ('make build' creates it): %w", program, err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	commit = commit[:min(len(commit), 12)]
	if settings["vcs.modified"] == "true" {
		commit += " with changes"
	}
	memory, err := rddtest.ReadField("/proc/meminfo", "MemTotal:")
	if err != nil {
		return nil, err
	}
	load, _, _ := strings.Cut(firstOf("/proc/loadavg"), " ")
	average, err := strconv.ParseFloat(load, 64)
	if err != nil {
		return nil, fmt.Errorf("read the load: %w", err)
	}
	return &Run{
		Date:   time.Now().UTC().Truncate(time.Second),
		Commit: commit,
		Machine: Machine{
			CPU: keyed("/proc/cpuinfo", "model name", ":"), Cores: runtime.NumCPU(), Memory: memory << 10,
			OS:     strings.Trim(keyed("/etc/os-release", "PRETTY_NAME", "="), `"`),
			Kernel: firstOf("/proc/sys/kernel/osrelease"), Go: info.GoVersion, Load: average,
		},
	}, nil
}

// firstOf returns the first line of a file; it is empty when there is none.
func firstOf(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// keyed returns the value of the first line of a file with this key.
func keyed(file, key, separator string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		name, value, found := strings.Cut(line, separator)
		if found && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
