package doctor

import (
	"context"
	"errors"
	"sync"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// How long one request and one check can take. A check that ignores its context, on
// a file system that hangs, is abandoned after checkTimeout and checkGrace.
const (
	requestTimeout = 3 * time.Second
	checkTimeout   = 9 * time.Second
	checkGrace     = time.Second
)

// Target is the instance to check.
type Target struct {
	Instance instance.Instance
	VM       limahost.Paths
	// Version of this program.
	Version string
	// Status returns the state of the daemon.
	Status func(context.Context) (lifecycle.Status, error)
}

// examination is a target, and what several checks need to know about it.
type examination struct {
	Target

	status func() (lifecycle.Status, error)
	app    func() (*appv1.App, error)
}

// check is one check of the target.
type check struct {
	name string
	run  func(context.Context) Result
}

// Examine makes all checks in parallel. It returns within 10 seconds; a check that
// has not ended by then is a finding.
func Examine(ctx context.Context, t Target) Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	e := &examination{Target: t}
	e.status = sync.OnceValues(func() (lifecycle.Status, error) {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		return t.Status(ctx)
	})
	e.app = sync.OnceValues(func() (*appv1.App, error) { return e.readApp(ctx) })
	report := Report{Instance: t.Instance.Name, Version: t.Version, Time: time.Now().Round(time.Millisecond)}
	report.Checks = runAll(ctx, e.checks())
	report.Healthy = report.count(Finding)+report.count(Unchecked) == 0
	return report
}

// runAll runs the checks in parallel and returns the results in order.
func runAll(ctx context.Context, checks []check) []Result {
	pending := make([]chan Result, len(checks))
	for i, c := range checks {
		pending[i] = make(chan Result, 1)
		go func() { pending[i] <- c.run(ctx) }()
	}
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout+checkGrace)
	defer stop()
	var results []Result
	for i, c := range checks {
		result := wait(late, pending[i])
		result.Check = c.name
		results = append(results, result)
	}
	return results
}

// daemonCheck is the name of the check of the daemon.
const daemonCheck = "daemon"

// checks returns the checks, in the order of the report: the first results explain
// the later ones.
func (e *examination) checks() []check {
	return []check{
		{"files", e.files},
		{"disk", e.disk},
		{"kubeconfig", e.kubeconfig},
		{daemonCheck, e.daemon},
		{"port", e.port},
		{"datastore", e.datastore},
		{"app", e.conditions},
		{"vm", e.vm},
		{"engine", e.engine},
		{"mirrors", e.mirrors},
		{"mounts", e.mounts},
	}
}

// wait returns the result of a check, or a finding if the check is late.
func wait(late context.Context, result <-chan Result) Result {
	select {
	case r := <-result:
		return r
	case <-late.Done():
	}
	select {
	case r := <-result: // both channels were ready
		return r
	default:
		return finding("find out whether a file system hangs, with 'mount' and 'dmesg'", "the check did not end within %s", checkTimeout+checkGrace)
	}
}

// readApp reads the App from the API server.
func (e *examination) readApp(ctx context.Context) (*appv1.App, error) {
	status, err := e.status()
	if err != nil {
		return nil, err
	}
	if status.State != lifecycle.StateRunning {
		return nil, &noDaemonError{status.State}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	c, err := client.New(e.Instance)
	if err != nil {
		return nil, err
	}
	return c.App(ctx)
}

// noDaemonError reports that no daemon runs that could be queried.
type noDaemonError struct{ state lifecycle.State }

func (e *noDaemonError) Error() string { return "the daemon is " + string(e.state) }

// unanswered returns the result of a check whose request failed. Without a daemon
// there is nothing to check.
func unanswered(err error) Result {
	var none *noDaemonError
	if errors.As(err, &none) && none.state == lifecycle.StateStopped {
		return skipped("%v", err)
	}
	return unchecked("the API server does not answer: %v", err)
}
