package controlplane

import (
	"context"
	"testing"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
)

// signal is a cache that is synced when it is closed.
type signal chan struct{}

var _ cache.DoneChecker = signal(nil)

func (signal) Name() string            { return "definitions" }
func (s signal) Done() <-chan struct{} { return s }

// Policies start after the definitions are known, because their parameters are custom
// resources: an informer that lists them earlier gets the status 404, logs it as an
// error, and waits before it lists again. Namespaces are checked meanwhile.
func TestPoliciesWaitForDefinitions(t *testing.T) {
	run, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	chain, err := newAdmissionChain()
	if err != nil {
		t.Fatal(err)
	}
	kube := fake.NewClientset()
	chain.mapper = newParamMapper(kube)
	defined := make(signal)
	chain.definitions = defined
	factory := informers.NewSharedInformerFactory(kube, 0)
	chain.configure(run, clients{kube: kube, dynamic: dynamic.New(kube.CoreV1().RESTClient())}, factory, &permissions{})
	factory.StartWithContext(run)
	started := make(chan error, 1)
	go func() { started <- chain.start(run) }()
	select {
	case <-chain.namespacesSynced:
	case <-run.Done():
		t.Fatal("namespaces are not checked before the definitions are known")
	}
	select {
	case err := <-started:
		t.Fatalf("policies were started before the definitions are known: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(defined)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	cancel()
	factory.Shutdown()
}
