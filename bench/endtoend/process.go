package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticks is how many clock ticks of /proc a second has on every Linux.
const ticks = 100

// usage is what a process has used up since it began.
type usage struct {
	cpu time.Duration
	// switches of context of all threads: those that waited for something, and
	// those that were taken off a processor.
	waited, preempted int64
}

// rssAnon returns the bytes of pages that are the daemon's alone.
func (d *daemon) rssAnon(ctx context.Context) (int64, error) {
	pid, err := d.pid(ctx)
	if err != nil {
		return 0, err
	}
	kilobytes, err := statusField(filepath.Join("/proc", strconv.Itoa(pid), "status"), "RssAnon:")
	return kilobytes << 10, err
}

// used reads the daemon's usage.
func (d *daemon) used(ctx context.Context) (usage, error) {
	pid, err := d.pid(ctx)
	if err != nil {
		return usage{}, err
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return usage{}, fmt.Errorf("read the daemon's usage: %w", err)
	}
	var u usage
	if u.cpu, err = cpuOf(string(text)); err != nil {
		return usage{}, err
	}
	threads, err := filepath.Glob(filepath.Join(dir, "task", "*", "status"))
	if err != nil {
		return usage{}, err
	}
	for _, thread := range threads {
		waited, err1 := statusField(thread, "voluntary_ctxt_switches:")
		preempted, err2 := statusField(thread, "nonvoluntary_ctxt_switches:")
		if err := errors.Join(err1, err2); errors.Is(err, fs.ErrNotExist) {
			continue // it has ended
		} else if err != nil {
			return usage{}, err
		}
		u.waited += waited
		u.preempted += preempted
	}
	return u, nil
}

// cpuOf returns user and system time from a line of /proc/PID/stat.
func cpuOf(stat string) (time.Duration, error) {
	// The program's name, in parentheses, may hold anything.
	_, rest, found := strings.Cut(stat[strings.LastIndex(stat, ")")+1:], " ")
	fields := strings.Fields(rest)
	if !found || len(fields) < 13 {
		return 0, fmt.Errorf("read the daemon's usage: unexpected %q", stat)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("read the daemon's usage: %w", err)
	}
	return time.Duration(user+system) * time.Second / ticks, nil
}

// statusField reads a number from one of the status files of /proc.
func statusField(file, field string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read a process's status: %w", err)
	}
	return parseStatus(string(text), field)
}

func parseStatus(text, field string) (int64, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == field {
			return strconv.ParseInt(fields[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("read a process's status: no %s", field)
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
