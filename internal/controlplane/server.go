package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/inprocess"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Server is a running control plane. Its methods may be called concurrently.
type Server struct {
	opts  Options
	creds credentials
	port  int

	store *datastore.Store
	// eventStore has the events of resources, in memory.
	eventStore *datastore.Store
	servers    *apiServers
	admission  *admissionChain
	mirrors    *registry.Mirrors
	recorder   *eventRecorder
	reaper     *namespaceReaper
	factory    informers.SharedInformerFactory
	transport  *inprocess.Transport
	listener   net.Listener
	https      *http.Server
	rejected   logLimiter

	// enforcing counts the goroutine that waits until the policies are enforced.
	enforcing sync.WaitGroup

	// running is cancelled by cancel, at the start of a stop.
	running context.Context
	cancel  context.CancelFunc

	stopping sync.Once
	stopped  chan struct{} // closed when the stop is complete
	err      error         // set before stopped is closed
}

// Start starts a control plane and returns when it is ready: it serves the API with
// rdd's resources, enforces the policies on every write, and has written the
// kubeconfig. ctx only limits the start.
func Start(ctx context.Context, opts Options) (*Server, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, err
	}
	captureLogs(opts.Logger)
	s := &Server{opts: opts, stopped: make(chan struct{})}
	s.running, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.start(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return nil, fmt.Errorf("start the control plane: %w", errors.Join(err, s.stop(stopCtx, nil)))
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.build(ctx); err != nil {
		return err
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	s.serve()
	if err := writeKubeconfig(s.opts, s.creds.trusted, s.creds.tokens.of(RoleAdmin), s.port); err != nil {
		return err
	}
	s.opts.Logger.Info("the control plane is ready", slog.Int("port", s.port))
	return nil
}

// open opens the files and the port.
func (s *Server) open(ctx context.Context) error {
	var err error
	if s.creds, err = ensureCredentials(s.opts); err != nil {
		return err
	}
	if s.listener, s.port, err = listen(ctx, s.opts); err != nil {
		return err
	}
	if s.store, err = datastore.Open(ctx, s.opts.DataDir, filepath.Join(s.opts.TLSDir, filename.Revision), syncRule()); err != nil {
		return err
	}
	s.eventStore = datastore.OpenMemory(ctx, eventLimits(), s.store.Revision())
	return nil
}

// build builds the API servers and writes rdd's own definitions to the datastore.
func (s *Server) build(ctx context.Context) error {
	// The servers need a client before their handler exists.
	s.transport = inprocess.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.servers.chains.inProcess.ServeHTTP(w, r)
	}), s.running)
	var err error
	if s.admission, err = newAdmissionChain(); err != nil {
		return err
	}
	if s.mirrors, err = registry.New(s.store, s.admission); err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(s.internalConfig())
	if err != nil {
		return err
	}
	s.admission.mapper = newParamMapper(kube)
	s.servers, err = newAPIServers(s.opts, serverParts{
		store:     s.store,
		events:    s.eventStore,
		creds:     s.creds,
		admission: s.admission,
		mirrors:   s.mirrors,
		client:    s.internalConfig(),
		port:      s.port,
		rejected:  &s.rejected,
		rotation:  http.HandlerFunc(s.serveRotation),
	})
	if err != nil {
		return err
	}
	if s.recorder, err = newEventRecorder(s.servers.api.events, s.admission, s.opts.Logger); err != nil {
		return err
	}
	s.recorder.start(s.running)
	if err := s.seed(ctx); err != nil {
		return err
	}
	s.servers.prepare(s.running)
	return s.servers.publishGroups()
}

// seed creates or updates rdd's definitions in the datastore.
func (s *Server) seed(ctx context.Context) error {
	definitions, err := crdDefinitions(s.store, embeddedCRDs())
	if err != nil {
		return err
	}
	policies, err := policyDefinitions(s.servers.api, embeddedPolicies())
	if err != nil {
		return err
	}
	if s.admission.ownNames, err = namesOf(policies); err != nil {
		return err
	}
	for _, definition := range append(definitions, policies...) {
		if _, err := definition.ensure(ctx); err != nil {
			return err
		}
	}
	return s.servers.api.prunePolicies(ctx, policies)
}

// run starts the controllers and waits until they are ready.
func (s *Server) run(ctx context.Context) error {
	// ctx ends the waiting; the controllers run until the server stops.
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.runCRDs(ctx) })
	group.Go(func() error { return s.runAdmission(ctx) })
	return group.Wait()
}

func (s *Server) runCRDs(ctx context.Context) error {
	// The controllers poll until this informer is synced, so it is synced first.
	crds := s.servers.crds.Informers
	informer := crds.Apiextensions().V1().CustomResourceDefinitions().Informer()
	crds.StartWithContext(s.running)
	if err := waitFor(ctx, informer.HasSyncedChecker()); err != nil {
		return err
	}
	s.servers.core.RunPostStartHooks(s.running)
	return s.waitForHooks(ctx)
}

// waitForHooks waits until the post-start hooks of the API servers are done. Only their
// health checks report that, so waitForHooks polls these.
func (s *Server) waitForHooks(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for _, check := range s.servers.core.HealthzChecks() {
		if !strings.HasPrefix(check.Name(), "poststarthook/") {
			continue
		}
		for check.Check(nil) != nil {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return fmt.Errorf("wait for %s: %w", check.Name(), ctx.Err())
			}
		}
	}
	return nil
}

func (s *Server) runAdmission(ctx context.Context) error {
	config := s.internalConfig()
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	dynamicClient, err := dynamic.NewForConfig(s.RESTConfig())
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	s.factory = informers.NewSharedInformerFactory(kube, 0)
	namespaces := s.factory.Core().V1().Namespaces()
	s.admission.definitions = s.servers.crds.Informers.Apiextensions().V1().CustomResourceDefinitions().Informer().HasSyncedChecker()
	s.admission.configure(s.running, clients{kube: kube, dynamic: dynamicClient}, s.factory, s.servers.config.Authorization.Authorizer)
	s.factory.StartWithContext(s.running)
	if err := s.admission.start(ctx); err != nil {
		return err
	}
	s.enforcing.Go(func() {
		if err := s.admission.waitForPolicies(); err != nil && s.running.Err() == nil {
			go s.fail(err)
		}
	})
	s.reaper = newNamespaceReaper(kube, metadataClient, s.opts.Logger)
	return s.reaper.start(s.running, namespaces)
}

// Mirrors gives the daemon direct access to the mirrors.
func (s *Server) Mirrors() *registry.Mirrors { return s.mirrors }

// Event records an event of an object, which clients find in 'kubectl describe'.
// eventType is Normal or Warning, and reason one word in camel case. Event does not
// block, and may be called concurrently.
func (s *Server) Event(object runtime.Object, eventType, reason, message string) {
	s.recorder.Event(object, eventType, reason, message)
}

// RESTConfig returns the configuration of clients in this process. They call the
// server's handlers directly, as [DaemonUser], without a rate limit.
func (s *Server) RESTConfig() *rest.Config {
	return &rest.Config{
		Host:      "http://control-plane.in-process",
		Transport: s.transport,
		QPS:       -1,
		UserAgent: "rdd",
	}
}

// internalConfig is RESTConfig with protobuf, which is cheaper for built-in types.
func (s *Server) internalConfig() *rest.Config {
	config := s.RESTConfig()
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	return config
}

// UserHandler serves requests of the user of this machine as [AdminUser], with the rules and
// limits of a client from the network. The caller has authenticated them. Requests end when
// the server stops.
func (s *Server) UserHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.running, cancel)()
		s.servers.chains.user.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Port is the port of the API on the loopback address.
func (s *Server) Port() int { return s.port }

// Done is closed when the control plane has failed or was stopped.
func (s *Server) Done() <-chan struct{} { return s.stopped }

// Err is the cause of a failure of the control plane. It is nil while the control plane
// is running and after Stop.
func (s *Server) Err() error {
	select {
	case <-s.stopped:
		return s.err
	default:
		return nil
	}
}
