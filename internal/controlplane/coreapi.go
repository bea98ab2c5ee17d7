package controlplane

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/kubernetes/pkg/api/legacyscheme"

	// These packages register the schemes of the served groups.
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/authentication/install"
	_ "k8s.io/kubernetes/pkg/apis/authorization/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/events/install"

	policystorage "k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicy/storage"
	bindingstorage "k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicybinding/storage"
	"k8s.io/kubernetes/pkg/registry/authentication/selfsubjectreview"
	"k8s.io/kubernetes/pkg/registry/authorization/selfsubjectaccessreview"
	"k8s.io/kubernetes/pkg/registry/authorization/selfsubjectrulesreview"
	eventstorage "k8s.io/kubernetes/pkg/registry/core/event/storage"
	namespacestorage "k8s.io/kubernetes/pkg/registry/core/namespace/storage"

	"k8s.io/kubernetes/pkg/registry/admissionregistration/resolver"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

// coreAPI has the built-in resources: namespaces for the mirrors, events of resources,
// admission policies, and the reviews that 'kubectl auth' requests.
type coreAPI struct {
	namespaces namespaceREST
	events     *eventstorage.REST
	policies   *policystorage.REST
	bindings   *bindingstorage.REST
	groups     []*genericapiserver.APIGroupInfo
	legacy     *genericapiserver.APIGroupInfo
}

// authority says who may do what.
type authority interface {
	authorizer.Authorizer
	authorizer.RuleResolver
}

// newCoreAPI returns the resources. Events are in a store of their own.
func newCoreAPI(store, events *datastore.Store, authz authority, params resolver.ResourceResolver) (*coreAPI, error) {
	versions := schema.GroupVersions{corev1.SchemeGroupVersion, admissionregistrationv1.SchemeGroupVersion}
	options := store.RESTOptions(legacyscheme.Codecs.LegacyCodec(versions...), runtime.GroupVersioner(versions))

	api := &coreAPI{}
	namespaces, namespaceStatus, finalize, err := namespacestorage.NewREST(options)
	if err != nil {
		return nil, err
	}
	api.namespaces = namespaceREST{namespaces}
	// The store of events limits their age, which a storage of Kubernetes does by leases.
	const noLease = 0
	if api.events, err = eventstorage.NewREST(events.RESTOptions(legacyscheme.Codecs.LegacyCodec(versions...), runtime.GroupVersioner(versions)), noLease); err != nil {
		return nil, err
	}
	policies, policyStatus, err := policystorage.NewREST(options, authz, params)
	if err != nil {
		return nil, err
	}
	api.policies = policies
	getter := &bindingstorage.DefaultPolicyGetter{Getter: policies}
	if api.bindings, err = bindingstorage.NewREST(options, authz, getter, params); err != nil {
		return nil, err
	}

	api.legacy = apiGroup(corev1.SchemeGroupVersion, map[string]rest.Storage{
		"namespaces":          api.namespaces,
		"namespaces/status":   namespaceStatus,
		"namespaces/finalize": finalize,
		"events":              api.events,
	})
	api.groups = []*genericapiserver.APIGroupInfo{
		apiGroup(eventsv1.SchemeGroupVersion, map[string]rest.Storage{
			"events": api.events,
		}),
		apiGroup(admissionregistrationv1.SchemeGroupVersion, map[string]rest.Storage{
			"validatingadmissionpolicies":        policies,
			"validatingadmissionpolicies/status": policyStatus,
			"validatingadmissionpolicybindings":  api.bindings,
		}),
		apiGroup(authenticationv1.SchemeGroupVersion, map[string]rest.Storage{
			"selfsubjectreviews": selfsubjectreview.NewREST(),
		}),
		apiGroup(authorizationv1.SchemeGroupVersion, map[string]rest.Storage{
			"selfsubjectaccessreviews": selfsubjectaccessreview.NewREST(authz, legacyscheme.Scheme),
			"selfsubjectrulesreviews":  selfsubjectrulesreview.NewREST(authz),
		}),
	}
	return api, nil
}

// apiGroup describes a group with one served version.
func apiGroup(version schema.GroupVersion, storage map[string]rest.Storage) *genericapiserver.APIGroupInfo {
	return &genericapiserver.APIGroupInfo{
		PrioritizedVersions:          []schema.GroupVersion{version},
		VersionedResourcesStorageMap: map[string]map[string]rest.Storage{version.Version: storage},
		OptionsExternalVersion:       &schema.GroupVersion{Version: "v1"},
		Scheme:                       legacyscheme.Scheme,
		ParameterCodec:               legacyscheme.ParameterCodec,
		NegotiatedSerializer:         legacyscheme.Codecs,
	}
}

func (api *coreAPI) install(server *genericapiserver.GenericAPIServer) error {
	if err := server.InstallLegacyAPIGroup(genericapiserver.DefaultLegacyAPIPrefix, api.legacy); err != nil {
		return err
	}
	return server.InstallAPIGroups(api.groups...)
}
