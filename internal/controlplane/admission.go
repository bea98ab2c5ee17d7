package controlplane

import (
	"context"
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

// admissionChain decides about writes: nothing is created in a namespace that is
// not there or goes away, and the admission policies hold. A write that comes
// before what decides about it is ready waits for it, so that none ever slips
// through.
type admissionChain struct {
	lifecycle *lifecycle.Lifecycle
	policies  *validating.Plugin
	mapper    meta.RESTMapper
	// own are the names of the policies and bindings that are part of the program.
	own    sets.Set[string]
	caches []cache.DoneChecker
	// filled is closed when the namespaces are known, inForce when the policies
	// have been compiled.
	filled, inForce chan struct{}
}

var (
	_ admission.MutationInterface   = (*admissionChain)(nil)
	_ admission.ValidationInterface = (*admissionChain)(nil)
)

// clients are what the admission plugins ask the API server with.
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
	return &admissionChain{lifecycle: namespaces, policies: policies, filled: make(chan struct{}), inForce: make(chan struct{})}, nil
}

// params finds the resource of a kind that a policy takes parameters from.
func (a *admissionChain) params() resolver.ResourceResolver {
	return resolver.ResourceResolverFunc(func(kind schema.GroupVersionKind) (schema.GroupVersionResource, error) {
		mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return schema.GroupVersionResource{}, err
		}
		return mapping.Resource, nil
	})
}

// configure gives the plugins what they work with, until run ends. The factory is
// to be started afterwards.
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

// start returns when namespaces are checked and the policies are being compiled.
func (a *admissionChain) start(ctx context.Context) error {
	// The policy plugin looks at its caches ten times a second; when they are
	// full before it starts, it does not have to wait.
	if err := waitFor(ctx, a.caches...); err != nil {
		return fmt.Errorf("fill the caches of the admission: %w", err)
	}
	if err := a.lifecycle.ValidateInitialization(); err != nil {
		return fmt.Errorf("start the admission of namespaces: %w", err)
	}
	close(a.filled)
	if err := a.policies.ValidateInitialization(); err != nil {
		return fmt.Errorf("start the admission policies: %w", err)
	}
	return nil
}

// enforce returns when the policies are in force. Only the users' writes have to
// wait for that; the plugin tells it a tenth of a second late.
func (a *admissionChain) enforce() error {
	if !a.policies.WaitForReady() {
		return fmt.Errorf("the admission policies did not come into force")
	}
	close(a.inForce)
	return nil
}

// Handles implements [admission.Interface].
func (*admissionChain) Handles(admission.Operation) bool { return true }

// Admit implements [admission.MutationInterface].
func (a *admissionChain) Admit(ctx context.Context, attributes admission.Attributes, objects admission.ObjectInterfaces) error {
	dropCollectorFinalizers(attributes)
	if err := wait(ctx, a.filled, attributes); err != nil || !a.lifecycle.Handles(attributes.GetOperation()) {
		return err
	}
	return a.lifecycle.Admit(ctx, attributes, objects)
}

// Validate implements [admission.ValidationInterface]. The daemon is not subject
// to policies: rdd's own restrict other users, and a user's must not keep the
// mirrors from showing the engine's state.
func (a *admissionChain) Validate(ctx context.Context, attributes admission.Attributes, objects admission.ObjectInterfaces) error {
	if user := attributes.GetUserInfo(); user != nil && user.GetName() == DaemonUser {
		return nil
	}
	if err := a.protectPolicies(attributes); err != nil {
		return err
	}
	if err := wait(ctx, a.inForce, attributes); err != nil || !a.policies.Handles(attributes.GetOperation()) {
		return err
	}
	return a.withWayOut(a.policies.Validate(ctx, attributes, objects), attributes)
}

func wait(ctx context.Context, ready <-chan struct{}, attributes admission.Attributes) error {
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return admission.NewForbidden(attributes, fmt.Errorf("the control plane is still starting: %w", ctx.Err()))
	}
}

// reviews are questions, not objects.
func reviews() []schema.GroupResource {
	return []schema.GroupResource{
		{Group: "authentication.k8s.io", Resource: "selfsubjectreviews"},
		{Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews"},
	}
}

// waitFor returns when everything is done, or with ctx's error.
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
