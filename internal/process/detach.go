package process

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Start starts cmd so that it outlives this process: in a session of its own,
// with no directory in use, without what this process inherited, and without what
// a service manager told this process alone. Whatever cmd sets of Dir, Env and
// SysProcAttr goes before. cmd must not have a context.
//
// ended gets what cmd.Wait returns, should the process end before this one does.
// A process that ended at once is returned too, with its pid alone.
func Start(cmd *exec.Cmd) (p Process, ended <-chan error, err error) {
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	if cmd.Env == nil {
		cmd.Env = Environ()
	}
	if cmd.SysProcAttr == nil {
		// No signal that is meant for this process's terminal or process group
		// may reach it.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}
	if err := dropInherited(); err != nil {
		return Process{}, nil, err
	}
	if err := cmd.Start(); err != nil {
		return Process{}, nil, err
	}
	p, ok := Find(cmd.Process.Pid)
	if !ok {
		p = Process{PID: cmd.Process.Pid}
	}
	end := make(chan error, 1)
	go func() { end <- cmd.Wait() }()
	return p, end, nil
}

// dropInherited keeps files that this process inherited from its own parent, such
// as a lock or a pipe that another process waits on, from being held open by a child
// that outlives it. Files that Go opens are never passed on.
//
// It does not use close_range(2): kernels before 5.11 lack the flag that is needed,
// and some sandboxes refuse the call.
func dropInherited() error {
	entries, err := os.ReadDir(openFiles)
	if err != nil {
		return fmt.Errorf("list the open files, which a child must not inherit: %w", err)
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// Environ is this process's environment without what its service manager told
// it alone; see sd_notify(3) and sd_listen_fds(3).
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "NOTIFY_SOCKET" || name == "WATCHDOG_USEC" || name == "WATCHDOG_PID" ||
			name == "INVOCATION_ID" || strings.HasPrefix(name, "LISTEN_")
	})
}
