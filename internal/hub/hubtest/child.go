package hubtest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// tailLines is how many lines of a log are shown after a failure.
const tailLines = 20

// child is a program that runs until kill, and not longer than this process.
type child struct {
	name, log string
	cmd       *exec.Cmd
	// ended is closed when the program has ended. Then err is the result of Wait.
	ended chan struct{}
	err   error
}

// startChild starts a program that appends its output to the file log. The program
// gets no other variable than PATH: etcd takes flags from its environment.
func startChild(log, program string, args ...string) (*child, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", program, err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = childAttributes()
	c := &child{name: cmd.Path[strings.LastIndexByte(cmd.Path, '/')+1:], log: log, cmd: cmd, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// Linux kills the child at the end of the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer file.Close()
		defer close(c.ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return c, nil
}

// isRunning accepts a child that was not started.
func (c *child) isRunning() bool {
	if c == nil {
		return false
	}
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// kill ends the program by SIGKILL, and waits for its end.
func (c *child) kill() {
	if c == nil {
		return
	}
	_ = c.cmd.Process.Kill() // it may have ended by itself
	<-c.ended
}

// failure is the error of a program that ended by itself.
func (c *child) failure() error {
	return fmt.Errorf("%s ended by itself: %w; the end of its log:\n%s", c.name, c.err, c.tail())
}

// tail returns the last lines of the log.
func (c *child) tail() string {
	var text strings.Builder
	if _, err := logtail.Tail(c.log, tailLines, &text); err != nil {
		return err.Error()
	}
	return text.String()
}
