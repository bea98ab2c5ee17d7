package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/kubernetes/pkg/controller/namespace/deletion"
)

const (
	// namespaceRetry and namespaceRetryMax are the first and the longest delay between
	// two attempts to empty a namespace whose objects still have finalizers.
	namespaceRetry    = 20 * time.Millisecond
	namespaceRetryMax = 5 * time.Second
)

// namespaceReaper empties namespaces that are being deleted, and removes their
// finalizer. Kubernetes' own controller waits five seconds first, because there may be
// several API servers. This one calls the same deleter at once.
type namespaceReaper struct {
	kube     kubernetes.Interface
	metadata metadata.Interface
	logger   *slog.Logger
	limiter  workqueue.TypedRateLimiter[string]
	// queue has no delays of its own: a queue with delays wakes up every ten seconds.
	queue  workqueue.TypedInterface[string]
	worker sync.WaitGroup
	// deleter is created for the first namespace. Only the worker uses it.
	deleter deletion.NamespacedResourcesDeleterInterface
	// reported has the last logged failure of each namespace. Only the worker uses it.
	reported map[string]string
}

func newNamespaceReaper(kube kubernetes.Interface, metadata metadata.Interface, logger *slog.Logger) *namespaceReaper {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](namespaceRetry, namespaceRetryMax)
	return &namespaceReaper{
		kube: kube, metadata: metadata, logger: logger, limiter: limiter,
		queue: workqueue.NewTyped[string](), reported: map[string]string{},
	}
}

// start runs the reaper until ctx ends.
func (r *namespaceReaper) start(ctx context.Context, namespaces coreinformers.NamespaceInformer) error {
	enqueue := func(object any) {
		if namespace, ok := object.(*corev1.Namespace); ok {
			r.enqueue(namespace)
		}
	}
	_, err := namespaces.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
	})
	if err != nil {
		return fmt.Errorf("watch namespaces: %w", err)
	}
	r.run(ctx)
	return nil
}

func (r *namespaceReaper) run(ctx context.Context) {
	context.AfterFunc(ctx, r.queue.ShutDown)
	r.worker.Go(func() {
		for r.next(ctx) {
		}
	})
}

// enqueue adds a namespace that is being deleted, unless it waits for a retry. A failed
// attempt writes conditions to the namespace, and this event must not cause the next
// attempt.
func (r *namespaceReaper) enqueue(namespace *corev1.Namespace) {
	if namespace.DeletionTimestamp != nil && r.limiter.NumRequeues(namespace.Name) == 0 {
		r.queue.Add(namespace.Name)
	}
}

// next processes one namespace. It returns false when the queue is shut down.
func (r *namespaceReaper) next(ctx context.Context) bool {
	name, shutdown := r.queue.Get()
	if shutdown {
		return false
	}
	defer r.queue.Done(name)
	err := r.reap(ctx, name)
	if err == nil {
		r.limiter.Forget(name)
		delete(r.reported, name)
		return true
	}
	if ctx.Err() == nil {
		r.report(name, err)
	}
	time.AfterFunc(r.limiter.When(name), func() { r.queue.Add(name) })
	return true
}

// report logs a failure that differs from the previous one. Objects that wait for their
// finalizers are not a failure.
func (r *namespaceReaper) report(name string, err error) {
	var remaining *deletion.ResourcesRemainingError
	text := failureText(err)
	if errors.As(err, &remaining) || r.reported[name] == text {
		return
	}
	r.reported[name] = text
	r.logger.Warn("a namespace that is being deleted cannot be emptied; retrying every "+namespaceRetryMax.String(),
		slog.String("namespace", name), slog.String("error", text))
}

// failureText returns the text of err, with the parts of an aggregate sorted. The
// deleter returns them in random order.
func failureText(err error) string {
	var aggregate utilerrors.Aggregate
	if !errors.As(err, &aggregate) {
		return err.Error()
	}
	var texts []string
	for _, part := range aggregate.Errors() {
		texts = append(texts, part.Error())
	}
	slices.Sort(texts)
	return strings.Join(texts, "; ")
}

func (r *namespaceReaper) reap(ctx context.Context, name string) error {
	if r.deleter == nil {
		// The deleter's constructor exits the process if it discovers no resources, so
		// check that first.
		resources, err := r.discover()
		if err != nil || len(resources) == 0 {
			return fmt.Errorf("discover the namespaced resources: found %d: %w", len(resources), errors.Join(err, ctx.Err()))
		}
		r.deleter = deletion.NewNamespacedResourcesDeleter(ctx, r.kube.CoreV1().Namespaces(), r.metadata, r.kube.CoreV1(),
			r.discover, corev1.FinalizerKubernetes)
	}
	if err := r.deleter.Delete(ctx, name); err != nil {
		return err
	}
	return r.dropCollectorFinalizers(ctx, name)
}

// dropCollectorFinalizers removes the finalizers of the garbage collector from an empty
// namespace. Earlier versions of rdd let clients set them.
func (r *namespaceReaper) dropCollectorFinalizers(ctx context.Context, name string) error {
	namespace, err := r.kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if namespace.DeletionTimestamp == nil || !slices.ContainsFunc(namespace.Finalizers, isCollectorFinalizer) {
		return nil
	}
	namespace.Finalizers = slices.DeleteFunc(namespace.Finalizers, isCollectorFinalizer)
	_, err = r.kube.CoreV1().Namespaces().Update(ctx, namespace, metav1.UpdateOptions{})
	return err
}

func (r *namespaceReaper) discover() ([]*metav1.APIResourceList, error) {
	return r.kube.Discovery().ServerPreferredNamespacedResources()
}
