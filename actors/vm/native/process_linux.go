package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is one process, told from a later one with the same pid by its start
// time, in clock ticks since boot.
type process struct {
	pid       int
	parent    int
	startTime uint64
}

// inspectProcess reads /proc/PID. It returns false for a process that is gone,
// and for a zombie, which is as good as gone.
func inspectProcess(pid int) (process, bool) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, false
	}
	// The name, in parentheses, may contain spaces and parentheses itself.
	// After it come the state (field 3 of proc(5)), the parent, and, as field 22,
	// the start time.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return process{}, false
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return process{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return process{}, false
	}
	return process{pid: pid, parent: parent, startTime: start}, true
}

// alive is whether this very process still runs.
func (p process) alive() bool {
	now, ok := inspectProcess(p.pid)
	return ok && now.startTime == p.startTime
}

// args returns the process's command line; empty if it is gone.
func (p process) args() []string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.pid), "cmdline"))
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// signal sends sig to this very process and to no other that got its pid since.
func (p process) signal(sig syscall.Signal) error {
	fd, err := p.open()
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %v to pid %d: %w", sig, p.pid, err)
	}
	return nil
}

// open returns a pidfd, or ESRCH when the process is gone.
func (p process) open() (int, error) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return -1, err
	}
	if !p.alive() {
		_ = unix.Close(fd)
		return -1, unix.ESRCH
	}
	return fd, nil
}

// wait returns nil when the process has ended, be it a child of this one or not,
// or the error of ctx. The kernel tells, through a pidfd; nothing is polled.
func (p process) wait(ctx context.Context) error {
	fd, err := p.open()
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("watch pid %d (Linux 5.3 or later is needed): %w", p.pid, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("watch pid %d: %w", p.pid, err)
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	defer file.Close()
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(0, 1)) })
	defer stop()
	conn, err := file.SyscallConn()
	if err != nil {
		return fmt.Errorf("watch pid %d: %w", p.pid, err)
	}
	err = conn.Read(ended)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// ended is whether the process of a pidfd has ended: then it is readable.
func ended(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}

// processes lists all processes that are alive and visible.
func processes() []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, ok := inspectProcess(pid); ok {
			all = append(all, p)
		}
	}
	return all
}

// findEngine returns the process of the engine. The state file is asked first,
// all processes are searched otherwise: an engine whose state was lost is found
// too. The argument that names the instance's own configuration file decides.
func findEngine(k kind, s state) (process, bool) {
	if s.Engine == k.engine && s.PID > 0 && s.BootID == bootID() {
		p := process{pid: s.PID, startTime: s.StartTime}
		if p.alive() && slices.Contains(p.args(), k.configArg()) {
			return p, true
		}
	}
	var oldest process
	for _, p := range processes() {
		if !slices.Contains(p.args(), k.configArg()) {
			continue
		}
		// A rootless engine is a chain of processes; the first of it is the engine.
		if oldest.pid == 0 || p.startTime < oldest.startTime {
			oldest = p
		}
	}
	return oldest, oldest.pid != 0
}

// bootID tells this boot of the machine from another one.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
