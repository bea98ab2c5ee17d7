package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Find reads /proc/PID. It returns false for a process that is gone, and for a
// zombie, which is as good as gone.
func Find(pid int) (Process, bool) {
	if pid < 1 {
		return Process{}, false
	}
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return Process{}, false
	}
	return parseStat(pid, data)
}

// parseStat reads /proc/PID/stat, of which proc(5) tells.
func parseStat(pid int, data []byte) (Process, bool) {
	// The name, in parentheses, may contain spaces and parentheses itself.
	// After it come the state (field 3 of proc(5)), the parent, and, as field 22,
	// the start time.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return Process{}, false
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return Process{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return Process{}, false
	}
	return Process{PID: pid, Parent: parent, Start: start}, true
}

// Args returns the process's command line; empty if it is gone.
func (p Process) Args() []string {
	data, err := os.ReadFile(p.file("cmdline"))
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// Mine reports whether the process is this user's own: its real, effective, saved
// and file system user IDs are this process's effective one, and it has the same
// root directory. A process that another user started with a setuid program keeps
// that user's real ID. A container's root has the ID of this user, in an engine of
// root and in a rootless one, and another root directory. A process that cannot be
// inspected is not this user's.
func (p Process) Mine() bool {
	owner, uniform := p.Owner()
	if !uniform || owner != os.Geteuid() {
		return false
	}
	own, err := os.Stat("/")
	if err != nil {
		return false
	}
	// The link leads to the directory itself, whatever path it has for that process.
	root, err := os.Stat(p.file("root"))
	return err == nil && os.SameFile(own, root) && p.Alive()
}

// Owner returns the real user ID of the process, and whether its effective, saved
// and file system ones are the same.
func (p Process) Owner() (uid int, uniform bool) {
	data, err := os.ReadFile(p.file("status"))
	if err != nil {
		return -1, false
	}
	return parseOwner(data)
}

// parseOwner reads the line Uid of /proc/PID/status; see proc_pid_status(5). The
// process's name, on the first line, has its line feeds escaped.
func parseOwner(status []byte) (uid int, uniform bool) {
	for line := range strings.Lines(string(status)) {
		text, ok := strings.CutPrefix(line, "Uid:")
		if !ok {
			continue
		}
		ids := strings.Fields(text)
		if len(ids) != 4 {
			return -1, false
		}
		uid, err := strconv.Atoi(ids[0])
		if err != nil || uid < 0 {
			return -1, false
		}
		return uid, ids[1] == ids[0] && ids[2] == ids[0] && ids[3] == ids[0]
	}
	return -1, false
}

// Executable returns the name of the file that the process runs, without its
// directory: that of the interpreter for a script. It is empty if the process is
// gone or another user's. A file that was replaced since keeps its name.
func (p Process) Executable() string {
	path, err := os.Readlink(p.file("exe"))
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSuffix(path, " (deleted)"))
}

// SharesNetwork reports whether the process is in the network namespace of the
// calling thread, in which a child of it would be too.
func (p Process) SharesNetwork() bool {
	own, err := os.Stat("/proc/thread-self/ns/net")
	if err != nil {
		return false
	}
	its, err := os.Stat(p.file("ns/net"))
	return err == nil && os.SameFile(own, its)
}

// file is the path of a file in /proc/PID.
func (p Process) file(name string) string {
	return filepath.Join("/proc", strconv.Itoa(p.PID), name)
}

// Signal sends sig to this very process and to no other that got its pid since.
// It is no error when the process is gone.
func (p Process) Signal(sig syscall.Signal) error {
	fd, err := p.open()
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %v to pid %d: %w", sig, p.PID, err)
	}
	return nil
}

// open returns a pidfd, or ESRCH when the process is gone.
func (p Process) open() (int, error) {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return -1, err
	}
	if !p.Alive() {
		_ = unix.Close(fd)
		return -1, unix.ESRCH
	}
	return fd, nil
}

// Wait returns nil when the process has ended, be it a child of this one or not,
// or the error of ctx. The kernel tells, through a pidfd; nothing is polled.
func (p Process) Wait(ctx context.Context) error {
	fd, err := p.open()
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("watch pid %d (Linux 5.3 or later is needed): %w", p.PID, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("watch pid %d: %w", p.PID, err)
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	defer file.Close()
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(0, 1)) })
	defer stop()
	conn, err := file.SyscallConn()
	if err != nil {
		return fmt.Errorf("watch pid %d: %w", p.PID, err)
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

// All lists all processes that are alive and visible.
func All() []Process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, ok := Find(pid); ok {
			all = append(all, p)
		}
	}
	return all
}

// BootID tells this boot of the machine from another one; empty if unknown.
func BootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// openFiles is the directory that lists this process's descriptors.
const openFiles = "/proc/self/fd"
