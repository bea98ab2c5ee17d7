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

// daemon looks whether the daemon lives and answers. That the pid file is locked
// is what tells; a pid alone could be anybody's.
func (e *examination) daemon(context.Context) Result {
	status, err := e.status()
	if err != nil {
		return finding("mend what is said about "+e.Instance.PidFile, "cannot be looked at: %v", err)
	}
	if status.Doing != "" {
		return skipped("stopped; %s", status.Doing)
	}
	if status.State == lifecycle.StateStopped {
		return e.stopped()
	}
	holder := "'lsof " + e.Instance.PidFile + "' says who holds it; end that, and look again"
	if p, alive := process.Find(status.PID); !alive {
		return finding(holder, "the pid file is locked, but names pid %d, which is no process", status.PID)
	} else if args := p.Args(); len(args) > 0 && !slices.Contains(args, "serve") {
		return finding(holder, "the pid file is locked, but its pid %d is another program: %s", status.PID, args[0])
	}
	switch status.State {
	case lifecycle.StateHung:
		return finding(e.unhang(status.PID), "process %d does not answer%s: %s", status.PID, processState(status.PID), status.Error)
	case lifecycle.StateStarting:
		return finding("wait a moment and look again; 'rdd svc logs' says what it does", "process %d is starting: %s", status.PID, status.Error)
	case lifecycle.StateRunning, lifecycle.StateStopped:
	}
	if status.Version != e.Version {
		return finding("'rdd svc restart' brings the daemon to this version; the engine goes on", "process %d answers, of version %s, and this is %s", status.PID, status.Version, e.Version)
	}
	return ok("process %d answers, of version %s", status.PID, status.Version)
}

// stopped tells a daemon that was stopped from one that was killed: that one
// could not take its pid file away.
func (e *examination) stopped() Result {
	text, err := os.ReadFile(e.Instance.PidFile)
	switch {
	case !e.Instance.Exists():
		return skipped("there is no such instance; 'rdd svc start' makes it")
	case errors.Is(err, fs.ErrNotExist):
		return skipped("stopped; 'rdd svc start' starts it")
	case err != nil:
		return finding("mend what is said about "+e.Instance.PidFile, "stopped, and its pid file cannot be read: %v", err)
	}
	return finding("'rdd svc start' starts it again and finds the engine that it left; 'rdd svc logs' says what it did last",
		"process %s was killed or has crashed", strings.TrimSpace(string(text)))
}

func (e *examination) unhang(pid int) string {
	next := "'rdd support-bundle', for a report; then 'rdd svc restart', which replaces the daemon and keeps the engine"
	if strings.Contains(processState(pid), "stopped") {
		next = fmt.Sprintf("'kill -CONT %d' lets it go on; if it hangs again: ", pid) + next
	}
	return next
}

// processState says what keeps a process from running, if the kernel tells.
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
		return " (it waits for a disk)"
	default:
		return ""
	}
}

// port looks whether somebody listens where the kubeconfig says.
func (e *examination) port(ctx context.Context) Result {
	status, err := e.status()
	if err != nil {
		return unchecked("see daemon")
	}
	if status.State == lifecycle.StateStopped {
		return skipped("no daemon runs")
	}
	config, err := client.Config(e.Instance)
	if err != nil {
		return unchecked("see kubeconfig")
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return finding("'rdd svc restart' writes the kubeconfig anew", "the kubeconfig names the server %q: %v", config.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server.Host)
	if err != nil {
		return finding("'rdd svc restart'", "nobody listens where the kubeconfig says: %v", err)
	}
	defer conn.Close()
	return ok("the API server listens at %s", server.Host)
}
