package process

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// zombie is SZOMB of sys/proc.h.
	zombie = 5
	// pollEvery is how often Wait polls, since macOS has no pidfds.
	pollEvery = 200 * time.Millisecond
)

// Find finds a running process by its pid. It returns false if there is none, or only
// a zombie.
func Find(pid int) (Process, bool) {
	if pid < 1 {
		return Process{}, false
	}
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return Process{}, false
	}
	return fromKernel(info)
}

func fromKernel(info *unix.KinfoProc) (Process, bool) {
	if info.Proc.P_pid < 1 || info.Proc.P_stat == zombie {
		return Process{}, false
	}
	start := info.Proc.P_starttime
	return Process{
		PID: int(info.Proc.P_pid), Parent: int(info.Eproc.Ppid),
		Start: uint64(start.Sec)*1e6 + uint64(start.Usec),
	}, true
}

// Args returns the process's command line. It is empty if the process has ended or
// belongs to another user.
func (p Process) Args() []string {
	data, err := unix.SysctlRaw("kern.procargs2", p.PID)
	if err != nil || len(data) < 4 {
		return nil
	}
	// The format is: the number of arguments, the path of the program, any number of
	// zeros, and the arguments, each followed by a zero.
	count := int(binary.LittleEndian.Uint32(data))
	rest := data[4:]
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		return nil
	}
	fields := strings.Split(string(bytes.TrimLeft(rest[end:], "\x00")), "\x00")
	return fields[:min(count, len(fields))]
}

// Mine reports whether the process is this user's own: its real, effective and saved
// user IDs equal the effective one of this process.
func (p Process) Mine() bool {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", p.PID)
	if err != nil {
		return false
	}
	now, alive := fromKernel(info)
	me := uint32(os.Geteuid())
	return alive && now.Start == p.Start &&
		info.Eproc.Ucred.Uid == me && info.Eproc.Pcred.P_ruid == me && info.Eproc.Pcred.P_svuid == me
}

// Signal sends sig to this process. It first checks that no other process has the pid,
// which leaves a short race on macOS. It is no error if the process has ended.
func (p Process) Signal(sig syscall.Signal) error {
	if !p.Alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to pid %d: %w", sig, p.PID, err)
	}
	return nil
}

// Wait returns nil when the process has ended, or the error of ctx if ctx ends first.
func (p Process) Wait(ctx context.Context) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for p.Alive() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// All returns all running processes that this user may see.
func All() []Process {
	list, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil
	}
	var all []Process
	for i := range list {
		if p, ok := fromKernel(&list[i]); ok {
			all = append(all, p)
		}
	}
	return all
}

// BootID identifies this boot of the machine; it is empty if unknown.
func BootID() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
}

// openFiles is the directory that lists this process's descriptors.
const openFiles = "/dev/fd"
