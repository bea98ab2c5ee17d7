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

// How long looks may take. A look that does not even honour its context, on a
// file system that hangs, is left behind after its deadline.
const (
	askTimeout  = 3 * time.Second
	lookTimeout = 9 * time.Second
	lookGrace   = time.Second
)

// Patient is the instance that is examined.
type Patient struct {
	Instance instance.Instance
	VM       limahost.Paths
	// Version of this program.
	Version string
	// Status looks at the daemon.
	Status func(context.Context) (lifecycle.Status, error)
}

// examination is a patient, and what several looks need to know of it.
type examination struct {
	Patient

	status func() (lifecycle.Status, error)
	app    func() (*appv1.App, error)
}

// look is one look at the patient.
type look struct {
	name string
	look func(context.Context) Result
}

// Examine looks at everything at the same time. It takes no longer than 10
// seconds, and then says which looks were not done by then.
func Examine(ctx context.Context, p Patient) Report {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	e := &examination{Patient: p}
	e.status = sync.OnceValues(func() (lifecycle.Status, error) {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		return p.Status(ctx)
	})
	e.app = sync.OnceValues(func() (*appv1.App, error) { return e.readApp(ctx) })
	report := Report{Instance: p.Instance.Name, Version: p.Version, Time: time.Now().Round(time.Millisecond)}
	report.Checks = examineAll(ctx, e.looks())
	report.Healthy = report.count(Finding)+report.count(Unchecked) == 0
	return report
}

// examineAll looks at everything at once and returns the results in order.
func examineAll(ctx context.Context, looks []look) []Result {
	pending := make([]chan Result, len(looks))
	for i, l := range looks {
		pending[i] = make(chan Result, 1)
		go func() { pending[i] <- l.look(ctx) }()
	}
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout+lookGrace)
	defer stop()
	var results []Result
	for i, l := range looks {
		result := wait(late, pending[i])
		result.Check = l.name
		results = append(results, result)
	}
	return results
}

// daemonCheck is the name of the look at the daemon.
const daemonCheck = "daemon"

// looks are what there is to look at, in the order in which a person should read
// the results: what comes first explains what comes later.
func (e *examination) looks() []look {
	return []look{
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
	}
}

// wait returns what a look brought, or that it brought nothing until it was late.
func wait(late context.Context, result <-chan Result) Result {
	select {
	case r := <-result:
		return r
	case <-late.Done():
	}
	select {
	case r := <-result: // it was there, and late.Done was as well
		return r
	default:
		return finding("look whether a file system hangs: 'mount', 'dmesg'", "not done within %s", lookTimeout+lookGrace)
	}
}

// readApp asks the API server, if there is one to ask.
func (e *examination) readApp(ctx context.Context) (*appv1.App, error) {
	status, err := e.status()
	if err != nil {
		return nil, err
	}
	if status.State != lifecycle.StateRunning {
		return nil, &noDaemonError{status.State}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	c, err := client.New(e.Instance)
	if err != nil {
		return nil, err
	}
	return c.App(ctx)
}

// noDaemonError says why nobody can be asked.
type noDaemonError struct{ state lifecycle.State }

func (e *noDaemonError) Error() string { return "the daemon is " + string(e.state) }

// unanswered is the result of a look that the API server did not answer. Without a
// daemon there is nothing to check.
func unanswered(err error) Result {
	var none *noDaemonError
	if errors.As(err, &none) && none.state == lifecycle.StateStopped {
		return skipped("%v", err)
	}
	return unchecked("the API server does not answer: %v", err)
}
