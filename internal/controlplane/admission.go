package controlplane

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/resolver"
)

// admissionChain admits writes. It refuses to create objects in a namespace that does
// not exist or is being deleted, and enforces the admission policies. Writes wait until
// the chain is ready, so none is admitted unchecked.
type admissionChain struct {
	lifecycle *lifecycle.Lifecycle
	policies  *validating.Plugin
	mapper    meta.RESTMapper
	// ownNames are the names of rdd's own policies and bindings.
	ownNames sets.Set[string]
	caches   []cache.DoneChecker
	// definitions are the definitions of custom resources. The policies' parameters are
	// custom resources, which are unknown before this cache is synced.
	definitions cache.DoneChecker
	// namespacesSynced is closed when the namespaces are synced.
	namespacesSynced chan struct{}
	// policiesReady is closed when the policies are compiled.
	policiesReady chan struct{}
}

var (
	_ admission.MutationInterface   = (*admissionChain)(nil)
	_ admission.ValidationInterface = (*admissionChain)(nil)
)

// clients are the admission plugins' clients of the API server.
type clients struct {
	kube    kubernetes.Interface
	dynamic dynamic.Interface
}

func newAdmissionChain() (*admissionChain, error) {
	namespaces, err := lifecycle.NewLifecycle(sets.New[string]())
	if err != nil {
		return nil, err
	}
	policies, err := validating.NewPlugin(nil)
	if err != nil {
		return nil, err
	}
	return &admissionChain{lifecycle: namespaces, policies: policies, namespacesSynced: make(chan struct{}), policiesReady: make(chan struct{})}, nil
}

// params finds the resource of the kind of a policy's parameters.
func (a *admissionChain) params() resolver.ResourceResolver {
	return resolver.ResourceResolverFunc(func(kind schema.GroupVersionKind) (schema.GroupVersionResource, error) {
		mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return schema.GroupVersionResource{}, err
		}
		return mapping.Resource, nil
	})
}

// configure configures the plugins, which run until run ends. The caller starts the
// factory afterwards.
func (a *admissionChain) configure(run context.Context, clients clients, factory informers.SharedInformerFactory, authz authorizer.Authorizer) {
	a.lifecycle.SetExternalKubeClientSet(clients.kube)
	a.lifecycle.SetExternalKubeInformerFactory(factory)
	a.policies.SetExternalKubeClientSet(clients.kube)
	a.policies.SetExternalKubeInformerFactory(factory)
	a.policies.SetDynamicClient(clients.dynamic)
	a.policies.SetRESTMapper(a.mapper)
	a.policies.SetUnconditionalAuthorizer(authz)
	a.policies.SetDrainedNotification(run.Done())
	a.policies.SetExcludedAdmissionResources(reviews())
	a.caches = []cache.DoneChecker{
		factory.Core().V1().Namespaces().Informer().HasSyncedChecker(),
		factory.Admissionregistration().V1().ValidatingAdmissionPolicies().Informer().HasSyncedChecker(),
		factory.Admissionregistration().V1().ValidatingAdmissionPolicyBindings().Informer().HasSyncedChecker(),
	}
}

// start returns when namespaces are checked; the policies are then being compiled.
func (a *admissionChain) start(ctx context.Context) error {
	// The policy plugin polls its caches ten times a second. It does not wait if they
	// are synced before it starts.
	if err := waitFor(ctx, a.caches...); err != nil {
		return fmt.Errorf("sync the caches of the admission chain: %w", err)
	}
	if err := a.lifecycle.ValidateInitialization(); err != nil {
		return fmt.Errorf("start the admission of namespaces: %w", err)
	}
	close(a.namespacesSynced)
	if err := waitFor(ctx, a.definitions); err != nil {
		return fmt.Errorf("sync the definitions of the policies' parameters: %w", err)
	}
	if err := a.policies.ValidateInitialization(); err != nil {
		return fmt.Errorf("start the admission policies: %w", err)
	}
	return nil
}

// waitForPolicies returns when the policies are enforced. Only users' writes wait for
// this, because the plugin polls and is up to a tenth of a second late.
func (a *admissionChain) waitForPolicies() error {
	if !a.policies.WaitForReady() {
		return errors.New("the admission policies did not become ready")
	}
	close(a.policiesReady)
	return nil
}

// Handles implements [admission.Interface].
func (*admissionChain) Handles(admission.Operation) bool { return true }

// Admit implements [admission.MutationInterface].
func (a *admissionChain) Admit(ctx context.Context, attributes admission.Attributes, objects admission.ObjectInterfaces) error {
	dropCollectorFinalizers(attributes)
	if err := waitReady(ctx, a.namespacesSynced, attributes); err != nil || !a.lifecycle.Handles(attributes.GetOperation()) {
		return err
	}
	return a.lifecycle.Admit(ctx, attributes, objects)
}

// Validate implements [admission.ValidationInterface]. The daemon is exempt from
// policies: rdd's own policies restrict other users, and a user's policy must not stop
// the mirrors from following the engine.
func (a *admissionChain) Validate(ctx context.Context, attributes admission.Attributes, objects admission.ObjectInterfaces) error {
	if user := attributes.GetUserInfo(); user != nil && user.GetName() == DaemonUser {
		return nil
	}
	if err := a.protectPolicies(attributes); err != nil {
		return err
	}
	if err := waitReady(ctx, a.policiesReady, attributes); err != nil || !a.policies.Handles(attributes.GetOperation()) {
		return err
	}
	return a.withRemedy(a.policies.Validate(ctx, attributes, objects), attributes)
}

func waitReady(ctx context.Context, ready <-chan struct{}, attributes admission.Attributes) error {
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return admission.NewForbidden(attributes, fmt.Errorf("the control plane is still starting: %w: repeat the request", ctx.Err()))
	}
}

// reviews returns the resources that policies do not apply to, because they are
// requests and not objects.
func reviews() []schema.GroupResource {
	return []schema.GroupResource{
		{Group: "authentication.k8s.io", Resource: "selfsubjectreviews"},
		{Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews"},
	}
}

// waitFor returns nil when all checkers are done, or an error when ctx ends first.
func waitFor(ctx context.Context, checkers ...cache.DoneChecker) error {
	for _, checker := range checkers {
		select {
		case <-checker.Done():
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", checker.Name(), ctx.Err())
		}
	}
	return nil
}
