package controlplane

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/apiextensions-apiserver/pkg/apihelpers"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"
	discoveryendpoint "k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/healthz"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/streams"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/tables"
)

// apiServers is the chain of API servers. The core server passes requests for unknown
// resources on to the server of custom resources.
type apiServers struct {
	config *genericapiserver.Config
	chains *handlerChains
	api    *coreAPI
	core   *genericapiserver.GenericAPIServer
	crds   *apiextensionsapiserver.CustomResourceDefinitions
}

// serverParts are what the servers are built from.
type serverParts struct {
	store     *datastore.Store
	events    *datastore.Store
	creds     credentials
	admission *admissionChain
	mirrors   *registry.Mirrors
	// client is the in-process one that the servers' own controllers use.
	client *rest.Config
	port   int
	// rejected limits the log lines about rejected requests.
	rejected *logLimiter
	// rotation replaces tokens.
	rotation http.Handler
}

// newAPIServers builds the chain. It starts nothing.
func newAPIServers(opts Options, parts serverParts) (*apiServers, error) {
	servers := &apiServers{chains: &handlerChains{
		slow: &slowWatches{limit: opts.WriteLimit, logger: opts.Logger}, logger: opts.Logger,
		streams: streams.Source{Engine: opts.Engine, Mirror: func(ctx context.Context, namespace, name string) error {
			_, err := parts.mirrors.Get(ctx, containersv1.KindContainer, namespace, name)
			return err
		}},
	}}
	var err error
	if servers.chains.tables, err = tables.New(parts.store, servers.serves, time.Now); err != nil {
		return nil, fmt.Errorf("build the tables: %w", err)
	}
	permitted := &permissions{}
	servers.config = genericConfig(opts, parts, permitted)
	servers.config.BuildHandlerChainFunc = servers.chains.build

	if servers.crds, err = newCRDServer(*servers.config, parts.store); err != nil {
		return nil, fmt.Errorf("build the server of custom resources: %w", err)
	}
	permitted.definitions = servers.definitions
	completed := servers.config.Complete(nil)
	if servers.core, err = completed.New("rdd", servers.crds.GenericAPIServer); err != nil {
		return nil, fmt.Errorf("build the API server: %w", err)
	}
	if servers.api, err = newCoreAPI(parts.store, parts.events, permitted, parts.admission.params()); err != nil {
		return nil, fmt.Errorf("build the built-in resources: %w", err)
	}
	if err := servers.api.install(servers.core); err != nil {
		return nil, fmt.Errorf("install the built-in resources: %w", err)
	}
	servers.serveExtras(opts, parts.store)
	servers.core.Handler.NonGoRestfulMux.Handle(RotatePath, parts.rotation)
	return servers, nil
}

// serves reports whether a resource of rdd's group has a definition that is served.
func (s *apiServers) serves(resource string) bool {
	group := containersv1.GroupVersion.Group
	crd, err := s.crds.Informers.Apiextensions().V1().CustomResourceDefinitions().Lister().Get(resource + "." + group)
	return err == nil && apihelpers.IsCRDConditionTrue(crd, apiextensionsv1.Established) &&
		apihelpers.HasServedCRDVersion(crd, containersv1.GroupVersion.Version)
}

func genericConfig(opts Options, parts serverParts, permitted *permissions) *genericapiserver.Config {
	config := genericapiserver.NewConfig(legacyscheme.Codecs)
	config.ExternalAddress = net.JoinHostPort(loopback, strconv.Itoa(parts.port))
	config.EffectiveVersion = servedVersion{compatibility.DefaultBuildEffectiveVersion()}
	config.LoopbackClientConfig = parts.client
	config.Authentication.Authenticator = tokenAuthenticator(parts.creds.tokens, opts.Logger, parts.rejected)
	config.Authorization.Authorizer = permitted
	config.RuleResolver = permitted
	config.AdmissionControl = parts.admission
	config.MergedResourceConfig = serverstorage.NewResourceConfig()
	config.AggregatedDiscoveryGroupManager = streams.Aggregated(discoveryendpoint.NewResourceManager("apis"))
	config.LongRunningFunc = longRunning(opts.Handlers)
	config.RequestInfoResolver = genericapiserver.NewRequestInfoResolver(config)
	// Nothing uses the number of objects or of requests in flight.
	config.StorageObjectCountTracker = nil
	config.DisabledPostStartHooks = sets.NewString("max-in-flight-filter")
	config.EnableMetrics = false // serveExtras serves /metrics
	setOpenAPI(config)
	config.SkipOpenAPIInstallation = true // serveOpenAPI installs it
	config.AddHealthChecks(healthz.NamedCheck("datastore", func(r *http.Request) error {
		return parts.store.Ping(r.Context())
	}))
	return config
}

// newCRDServer builds the server of custom resources. The core server publishes its
// resources, so it has no other paths of its own.
func newCRDServer(config genericapiserver.Config, store *datastore.Store) (*apiextensionsapiserver.CustomResourceDefinitions, error) {
	config.PostStartHooks = map[string]genericapiserver.PostStartHookConfigEntry{}
	config.EnableIndex = false
	config.EnableProfiling = false
	config.MergedResourceConfig = serverstorage.NewResourceConfig()
	config.MergedResourceConfig.EnableVersions(apiextensionsv1.SchemeGroupVersion)
	config.RESTOptionsGetter = crdStorage(store)
	crdConfig := apiextensionsapiserver.Config{
		GenericConfig: &genericapiserver.RecommendedConfig{Config: config},
		ExtraConfig: apiextensionsapiserver.ExtraConfig{
			CRDRESTOptionsGetter: store.CustomResourceOptions(unstructured.UnstructuredJSONScheme),
			MasterCount:          1,
			ServiceResolver:      noServices{},
		},
	}
	completed := crdConfig.Complete()
	return completed.New(genericapiserver.NewEmptyDelegate())
}

// definitions lists the CustomResourceDefinitions, from memory.
func (s *apiServers) definitions() []*apiextensionsv1.CustomResourceDefinition {
	found, err := s.crds.Informers.Apiextensions().V1().CustomResourceDefinitions().Lister().List(labels.Everything())
	if err != nil {
		return nil // listing from memory does not fail
	}
	return found
}

// serveExtras adds the paths that are not resources.
func (s *apiServers) serveExtras(opts Options, store *datastore.Store) {
	mux := s.core.Handler.NonGoRestfulMux
	mux.Handle("/metrics", metricsHandler(append(opts.Collectors, store)...))
	for path, handler := range opts.Handlers {
		if strings.HasSuffix(path, "/") {
			mux.HandlePrefix(path, handler)
		} else {
			mux.Handle(path, handler)
		}
	}
}

// prepare installs the health checks, which depend on all resources, and OpenAPI. ctx ends
// the controllers of the OpenAPI documents.
func (s *apiServers) prepare(ctx context.Context) {
	s.core.PrepareRun()
	s.serveOpenAPI(ctx)
}
