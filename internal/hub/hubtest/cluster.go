package hubtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
)

const (
	// startTimeout is how long a program may take to start, also beside other builds
	// and tests.
	startTimeout = 3 * time.Minute
	// pollInterval is how often a starting program is polled.
	pollInterval = 20 * time.Millisecond
	// answerTimeout is how long one answer may take.
	answerTimeout = 5 * time.Second
)

// Cluster is the programs of a hub, with all their files in one directory. Its methods
// that start or end programs must not be called concurrently.
type Cluster struct {
	options
	programs, dir                  string
	store                          datastore
	authority                      *authority
	admin                          *rest.Config
	client                         *http.Client
	etcdPort, apiPort, managerPort *port
	// Programs that were started. Each may have ended.
	etcd, apiServer, manager *child
}

type options struct {
	hasManager, hasAuditLog, leavesOutLeases bool
	// moreFlags are those of the API server.
	moreFlags []string
}

// Option changes what Start, NewShared and Launch run.
type Option func(*options)

// WithControllerManager runs kube-controller-manager, which empties deleted namespaces,
// collects garbage, and counts quotas.
func WithControllerManager() Option { return func(o *options) { o.hasManager = true } }

// WithAuditLog logs requests for AuditEvents.
func WithAuditLog() Option { return func(o *options) { o.hasAuditLog = true } }

// WithAuditLogExceptLeases logs requests for AuditEvents, but no requests for Leases.
func WithAuditLogExceptLeases() Option {
	return func(o *options) { o.hasAuditLog, o.leavesOutLeases = true, true }
}

// WithAPIServerFlags adds flags of the API server.
func WithAPIServerFlags(flags ...string) Option {
	return func(o *options) { o.moreFlags = append(o.moreFlags, flags...) }
}

// Launch starts a hub without a test, from the programs in one directory, and with its
// files in another one, which exists and is empty. Close ends it.
func Launch(ctx context.Context, programs, dir string, opts ...Option) (*Cluster, error) {
	if err := checkPrograms(programs); err != nil {
		return nil, err
	}
	c := &Cluster{programs: programs, dir: dir, store: selectDatastore()}
	for _, option := range opts {
		option(&c.options)
	}
	if err := errors.Join(c.prepare(), c.Up(ctx)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) prepare() error {
	for _, p := range []**port{&c.etcdPort, &c.apiPort, &c.managerPort} {
		var err error
		if *p, err = reservePort(); err != nil {
			return err
		}
	}
	if err := c.writeFiles(); err != nil {
		return fmt.Errorf("prepare a hub: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.authority.certificate)
	// Each request has a connection of its own, which no restart breaks.
	c.client = &http.Client{Timeout: answerTimeout, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}}
	return nil
}

// Up starts the programs that do not run, and returns when all are ready.
func (c *Cluster) Up(ctx context.Context) error {
	if !c.store.isForeign() {
		if err := c.upOne(ctx, &c.etcd, etcdProgram, c.etcdFlags(), "http://"+c.etcdPort.address()+"/readyz"); err != nil {
			return err
		}
	}
	if err := c.upOne(ctx, &c.apiServer, apiServerProgram, c.apiServerFlags(), "https://"+c.apiPort.address()+"/readyz"); err != nil {
		return err
	}
	if !c.hasManager {
		return nil
	}
	return c.upOne(ctx, &c.manager, managerProgram, c.managerFlags(), "https://"+c.managerPort.address()+"/healthz")
}

// upOne starts a program, if it does not run, and waits until url answers 200.
func (c *Cluster) upOne(ctx context.Context, held **child, name string, flags []string, url string) error {
	if !(*held).isRunning() {
		started, err := startChild(c.path(name+".log"), filepath.Join(c.programs, name), flags...)
		if err != nil {
			return err
		}
		*held = started
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := c.get(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-(*held).ended:
			return (*held).failure()
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w; the end of its log:\n%s", name, ctx.Err(), err, (*held).tail())
		}
	}
}

func (c *Cluster) get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096)) // a part says enough
		return fmt.Errorf("%s answers %s: %s", url, resp.Status, text)
	}
	return nil
}

// StopAPIServer kills the API server. Up starts it again at the same port, with the
// same data.
func (c *Cluster) StopAPIServer() { c.apiServer.kill() }

// Kill kills all programs at once. Up starts them again.
func (c *Cluster) Kill() {
	for _, program := range []*child{c.manager, c.apiServer, c.etcd} {
		program.kill()
	}
}

// Close ends the hub. The caller removes its directory.
func (c *Cluster) Close() {
	c.Kill()
	for _, p := range []*port{c.etcdPort, c.apiPort, c.managerPort} {
		p.release()
	}
}

// logs returns the last lines of each program's log.
func (c *Cluster) logs() map[string]string {
	all := map[string]string{}
	for _, program := range []*child{c.etcd, c.apiServer, c.manager} {
		if program != nil {
			all[program.log] = program.tail()
		}
	}
	return all
}
