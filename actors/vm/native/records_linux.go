package native

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// defaultStopTimeout applies to a container without its own stop timeout, as in
	// 'docker stop'.
	defaultStopTimeout = 10 * time.Second
	// noLimit is the stop timeout of a container that is never killed.
	noLimit time.Duration = -1
)

// record is a running container in dockerd's files. The API is no substitute: an
// engine that hangs, stops or has no socket does not serve it.
type record struct {
	id, name string
	// pid is the pid of the container's first process.
	pid int
	// stopTimeout is the time between stopSignal and SIGKILL, or noLimit.
	stopTimeout time.Duration
	// stopSignal is a name or a number; the default is SIGTERM.
	stopSignal string
}

// runningContainers returns the records of all running containers, as of their last
// change. Unreadable records are left out.
func runningContainers(k kind) []record {
	files, err := filepath.Glob(filepath.Join(k.dataDir, "containers", "*", "config.v2.json"))
	if err != nil {
		return nil
	}
	var all []record
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if r, ok := parseRecord(data); ok {
			all = append(all, r)
		}
	}
	return all
}

// parseRecord parses a config.v2.json of dockerd. ok is false for a container that
// does not run.
func parseRecord(data []byte) (r record, ok bool) {
	var wire struct {
		ID, Name string
		State    struct {
			Running bool
			Pid     int
		}
		Config struct {
			StopSignal  string
			StopTimeout *int
		}
	}
	if json.Unmarshal(data, &wire) != nil || !wire.State.Running || wire.State.Pid <= 0 {
		return record{}, false
	}
	r = record{
		id: wire.ID, name: strings.TrimPrefix(wire.Name, "/"), pid: wire.State.Pid,
		stopTimeout: defaultStopTimeout, stopSignal: wire.Config.StopSignal,
	}
	if t := wire.Config.StopTimeout; t != nil {
		r.stopTimeout = seconds(*t)
	}
	return r, true
}

// seconds converts a stop timeout. More than a year means noLimit, since a large
// number would overflow.
func seconds(n int) time.Duration {
	const year = 365 * 24 * 3600
	if n < 0 || n > year {
		return noLimit
	}
	return time.Duration(n) * time.Second
}

// longestTimeout returns the longest stop timeout of the containers, but at least
// minimum.
func longestTimeout(records []record, minimum time.Duration) time.Duration {
	longest := minimum
	for _, r := range records {
		if r.stopTimeout == noLimit {
			return noLimit
		}
		longest = max(longest, r.stopTimeout)
	}
	return longest
}

// waitsFor describes the containers that a stop waits for. The stop began at since.
func waitsFor(records []record, since time.Time) string {
	const maxNamed = 3
	slices.SortFunc(records, func(a, b record) int { return strings.Compare(a.name, b.name) })
	var parts []string
	for _, r := range records {
		until := "has no stop timeout"
		if r.stopTimeout != noLimit {
			until = "has until " + since.Add(r.stopTimeout).Format(time.TimeOnly)
		}
		parts = append(parts, fmt.Sprintf("%s (pid %d), which %s", r.name, r.pid, until))
	}
	more := ""
	if len(parts) > maxNamed {
		more = fmt.Sprintf("; and %d more", len(parts)-maxNamed)
		parts = parts[:maxNamed]
	}
	return fmt.Sprintf("waiting for the containers to stop: %s%s; 'kill -KILL PID' ends one at once", strings.Join(parts, "; "), more)
}
