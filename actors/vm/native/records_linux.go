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
	// defaultStopTimeout is what a container gets that says nothing else, as with
	// 'docker stop'.
	defaultStopTimeout = 10 * time.Second
	// noLimit is the stop timeout of a container that is never killed.
	noLimit time.Duration = -1
)

// record is what dockerd keeps on disk of one container that runs. It is read
// from there and not from the API, which an engine that hangs, has lost its
// socket or is stopping already does not serve.
type record struct {
	id, name string
	// pid of the container's first process.
	pid int
	// stopTimeout is noLimit, or how long after stopSignal dockerd kills it.
	stopTimeout time.Duration
	// stopSignal is a name or a number; empty is SIGTERM.
	stopSignal string
}

// running reads the records of all containers that run, as of their last change.
// What cannot be read is left out.
func running(k kind) []record {
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

// parseRecord reads a config.v2.json of dockerd; ok is false for a container that
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

// seconds is a stop timeout; one beyond a year is none, since it would not fit.
func seconds(n int) time.Duration {
	const year = 365 * 24 * 3600
	if n < 0 || n > year {
		return noLimit
	}
	return time.Duration(n) * time.Second
}

// longest is the longest stop timeout of these containers, at least least.
func longest(records []record, least time.Duration) time.Duration {
	for _, r := range records {
		if r.stopTimeout == noLimit {
			return noLimit
		}
		least = max(least, r.stopTimeout)
	}
	return least
}

// waitsFor says which containers a stop that began at since waits for, and what
// ends one before its time.
func waitsFor(records []record, since time.Time) string {
	const most = 3
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
	if len(parts) > most {
		more = fmt.Sprintf("; and %d more", len(parts)-most)
		parts = parts[:most]
	}
	return fmt.Sprintf("waiting for the containers to stop: %s%s; 'kill -KILL PID' ends one at once", strings.Join(parts, "; "), more)
}
