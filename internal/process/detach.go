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

// Start starts cmd so that it outlives this process: in its own session, in the
// root directory, without inherited files, and without the variables that a service
// manager set for this process alone. Fields Dir, Env and SysProcAttr of cmd take
// precedence if they are set. cmd must not have a context.
//
// ended receives the result of cmd.Wait if the process ends before this one. If the
// process has already ended, the result only has its pid.
func Start(cmd *exec.Cmd) (p Process, ended <-chan error, err error) {
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	if cmd.Env == nil {
		cmd.Env = Environ()
	}
	if cmd.SysProcAttr == nil {
		// Signals to this process's terminal or process group must not reach it.
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

// dropInherited sets close-on-exec on the files that this process inherited from its
// parent, such as a lock, or a pipe that another process reads. Go sets it on the files
// that it opens.
//
// It does not use close_range(2): kernels before 5.11 lack the required flag, and some
// sandboxes refuse the call.
func dropInherited() error {
	entries, err := os.ReadDir(openFiles)
	if err != nil {
		return fmt.Errorf("list the open files that a child must not inherit: %w", err)
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// Environ returns this process's environment without the variables that its service
// manager set for it alone; see sd_notify(3) and sd_listen_fds(3).
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "NOTIFY_SOCKET" || name == "WATCHDOG_USEC" || name == "WATCHDOG_PID" ||
			name == "INVOCATION_ID" || strings.HasPrefix(name, "LISTEN_")
	})
}
