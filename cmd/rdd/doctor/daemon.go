package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// daemon checks whether the daemon runs and answers. It relies on the lock of the
// pid file, because another process can have the pid.
func (e *examination) daemon(context.Context) Result {
	status, err := e.status()
	if err != nil {
		return finding("make "+e.Instance.PidFile+" readable and writable for yourself", "the daemon cannot be checked: %v", err)
	}
	if status.Doing != "" {
		return skipped("stopped; %s", status.Doing)
	}
	if status.State == lifecycle.StateStopped {
		return e.stopped()
	}
	holder := "end the process that 'lsof " + e.Instance.PidFile + "' lists, and run 'rdd doctor' again"
	if p, alive := process.Find(status.PID); !alive {
		return finding(holder, "the pid file is locked, but no process has its pid %d", status.PID)
	} else if args := p.Args(); len(args) > 0 && !slices.Contains(args, "serve") {
		return finding(holder, "the pid file is locked, but its pid %d is another program: %s", status.PID, args[0])
	}
	switch status.State {
	case lifecycle.StateHung:
		return finding(e.unhang(status.PID), "process %d does not answer%s: %s", status.PID, processState(status.PID), status.Error)
	case lifecycle.StateStarting:
		return finding("run 'rdd doctor' again in a moment; 'rdd svc logs' shows what the daemon is doing", "process %d is starting: %s", status.PID, status.Error)
	case lifecycle.StateRunning, lifecycle.StateStopped:
	}
	if status.Version != e.Version {
		return finding("'rdd svc restart' updates the daemon; the engine keeps running", "process %d answers, but has version %s and not %s like this program", status.PID, status.Version, e.Version)
	}
	return ok("process %d answers, version %s", status.PID, status.Version)
}

// stopped checks whether the daemon was stopped, or was killed and left its pid
// file behind.
func (e *examination) stopped() Result {
	text, err := os.ReadFile(e.Instance.PidFile)
	switch {
	case !e.Instance.Exists():
		return skipped("the instance does not exist; 'rdd svc start' creates it")
	case errors.Is(err, fs.ErrNotExist):
		return skipped("stopped; 'rdd svc start' starts it")
	case err != nil:
		return finding("make "+e.Instance.PidFile+" readable for yourself", "stopped, but its pid file cannot be read: %v", err)
	}
	return finding("'rdd svc start' starts the daemon again, which adopts a running engine; 'rdd svc logs' shows its last actions",
		"process %s was killed or crashed", strings.TrimSpace(string(text)))
}

// unhang returns what to do about a hung daemon.
func (e *examination) unhang(pid int) string {
	next := "run 'rdd support-bundle' for a bug report, then 'rdd svc restart', which keeps the engine running"
	if strings.Contains(processState(pid), "stopped") {
		next = fmt.Sprintf("'kill -CONT %d' resumes the daemon; if it still hangs: ", pid) + next
	}
	return next
}

// processState returns why a process does not run, if the kernel shows that.
func processState(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
	state, _, _ := strings.Cut(after, " ")
	switch state {
	case "T", "t":
		return " (it was stopped, by SIGSTOP or a debugger)"
	case "D":
		return " (it is waiting for a disk)"
	default:
		return ""
	}
}

// port checks whether a process listens at the address in the kubeconfig.
func (e *examination) port(ctx context.Context) Result {
	status, err := e.status()
	if err != nil {
		return unchecked("the state of the daemon is not known, see daemon above")
	}
	if status.State == lifecycle.StateStopped {
		return skipped("no daemon runs")
	}
	config, err := client.Config(e.Instance)
	if err != nil {
		return unchecked("the kubeconfig cannot be used, see kubeconfig above")
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return finding("'rdd svc restart' writes a new kubeconfig", "server %q in the kubeconfig is not a URL: %v", config.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server.Host)
	if err != nil {
		return finding("restart the daemon with 'rdd svc restart'", "no process listens at the address in the kubeconfig: %v", err)
	}
	defer conn.Close()
	return ok("the API server listens at %s", server.Host)
}
