package rddtest

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

// ticks is the number of clock ticks of /proc in a second, on every Linux.
const ticks = 100

// Usage is what a process has used since its start.
type Usage struct {
	CPU time.Duration
	// Waited and Preempted are the voluntary and the involuntary context switches
	// of all threads.
	Waited, Preempted int64
}

// Usage reads the usage of the daemon.
func (d *Daemon) Usage() (Usage, error) {
	dir, err := d.procDir()
	if err != nil {
		return Usage{}, err
	}
	var u Usage
	if u.CPU, err = readCPU(filepath.Join(dir, "stat")); err != nil {
		return Usage{}, err
	}
	threads, err := filepath.Glob(filepath.Join(dir, "task", "*", "status"))
	if err != nil {
		return Usage{}, err
	}
	for _, thread := range threads {
		waited, err1 := ReadField(thread, "voluntary_ctxt_switches:")
		preempted, err2 := ReadField(thread, "nonvoluntary_ctxt_switches:")
		if err := errors.Join(err1, err2); errors.Is(err, fs.ErrNotExist) {
			continue // the thread has ended
		} else if err != nil {
			return Usage{}, err
		}
		u.Waited += waited
		u.Preempted += preempted
	}
	return u, nil
}

// CPU returns the processor time of a process since its start, in steps of 10 ms.
func CPU(pid int) (time.Duration, error) {
	return readCPU(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
}

func readCPU(file string) (time.Duration, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read the usage of a process: %w", err)
	}
	return cpuTime(string(text))
}

// PrivateMemory returns the bytes of memory that the daemon shares with no other
// process (RssAnon).
func (d *Daemon) PrivateMemory() (int64, error) {
	dir, err := d.procDir()
	if err != nil {
		return 0, err
	}
	kilobytes, err := ReadField(filepath.Join(dir, "status"), "RssAnon:")
	return kilobytes << 10, err
}

func (d *Daemon) procDir() (string, error) {
	p, ok := d.Process()
	if !ok {
		return "", fmt.Errorf("measure the daemon of instance %s: it does not run", d.instance)
	}
	return filepath.Join("/proc", strconv.Itoa(p.PID)), nil
}

// Size is how large a daemon is by its own metrics.
type Size struct {
	RSS        int64 // bytes
	Goroutines int64
}

// Size reads the daemon's metrics.
func (d *Daemon) Size(ctx context.Context) (Size, error) {
	text, err := d.Run(ctx, "ctl", "get", "--raw", "/metrics")
	if err != nil {
		return Size{}, err
	}
	var s Size
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		number, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == "process_resident_memory_bytes":
			s.RSS = int64(number)
		case name == "go_goroutines":
			s.Goroutines = int64(number)
		}
	}
	if s.RSS == 0 || s.Goroutines == 0 {
		return s, errors.New("the daemon's metrics lack its size")
	}
	return s, nil
}

// cpuTime returns user and system time from a line of /proc/PID/stat.
func cpuTime(stat string) (time.Duration, error) {
	// The program's name, in parentheses, may contain anything.
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if len(fields) < 14 {
		return 0, fmt.Errorf("read the daemon's usage: unexpected %q", stat)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("read the daemon's usage: %w", err)
	}
	return time.Duration(user+system) * time.Second / ticks, nil
}

// ReadField reads a number from a file of /proc that has a field in each line.
func ReadField(file, field string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", field, err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == field {
			return strconv.ParseInt(fields[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("read %s: %s lacks it", field, file)
}
