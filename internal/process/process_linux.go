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

// Find finds a running process by its pid. It returns false if there is none, or only
// a zombie.
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

// parseStat parses /proc/PID/stat; see proc(5).
func parseStat(pid int, data []byte) (Process, bool) {
	// The name, in parentheses, may contain spaces and parentheses. The state (field 3
	// in proc(5)) and the parent follow it; field 22 is the start time.
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

// Args returns the process's command line. It is empty if the process has ended.
func (p Process) Args() []string {
	data, err := os.ReadFile(p.file("cmdline"))
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// Mine reports whether the process is this user's own: its real, effective, saved and
// file system user IDs equal the effective one of this process, and it has the same
// root directory. This excludes:
//   - a setuid program that another user started: the real ID is that user's
//   - root in a container, which may have this user's ID but has another root directory
//   - a process that cannot be inspected
func (p Process) Mine() bool {
	owner, uniform := p.Owner()
	if !uniform || owner != os.Geteuid() {
		return false
	}
	own, err := os.Stat("/")
	if err != nil {
		return false
	}
	// The link resolves to the directory itself, even if it has another path in the
	// process's mount namespace.
	root, err := os.Stat(p.file("root"))
	return err == nil && os.SameFile(own, root) && p.Alive()
}

// Owner returns the real user ID of the process, and whether its effective, saved and
// file system user IDs equal it.
func (p Process) Owner() (uid int, uniform bool) {
	data, err := os.ReadFile(p.file("status"))
	if err != nil {
		return -1, false
	}
	return parseOwner(data)
}

// parseOwner parses the line Uid of /proc/PID/status; see proc_pid_status(5). The first
// line has the process's name, with line feeds escaped.
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

// Executable returns the base name of the file that the process executes; for a script
// this is the interpreter. It is empty if the process has ended or belongs to another
// user. A file that was replaced meanwhile keeps its name.
func (p Process) Executable() string {
	path, err := os.Readlink(p.file("exe"))
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSuffix(path, " (deleted)"))
}

// SharesNetwork reports whether the process is in the network namespace of the calling
// thread. A child that this thread starts would be in the same one.
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

// Signal sends sig to this process, never to a later one with the same pid. It is no
// error if the process has ended.
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

// open returns a pidfd, or ESRCH if the process has ended.
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

// Wait returns nil when the process has ended, or the error of ctx if ctx ends first.
// The process need not be a child. Wait uses a pidfd and does not poll.
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

// ended reports whether the process of a pidfd has ended, which makes the pidfd
// readable.
func ended(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}

// All returns all running processes that this user may see.
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

// BootID identifies this boot of the machine; it is empty if unknown.
func BootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// openFiles is the directory that lists this process's descriptors.
const openFiles = "/proc/self/fd"
