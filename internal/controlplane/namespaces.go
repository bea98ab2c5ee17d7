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
	// namespaceRetry and namespaceRetryMax bound the waits between two attempts
	// to empty a namespace, in which objects wait for their finalizers.
	namespaceRetry    = 20 * time.Millisecond
	namespaceRetryMax = 5 * time.Second
)

// namespaceReaper empties namespaces that are being deleted, and lets them go.
// Kubernetes' own controller waits five seconds first, for the sake of several
// API servers; this one calls the same deleter at once.
type namespaceReaper struct {
	kube     kubernetes.Interface
	metadata metadata.Interface
	logger   *slog.Logger
	limiter  workqueue.TypedRateLimiter[string]
	queue    workqueue.TypedRateLimitingInterface[string]
	worker   sync.WaitGroup
	// deleter is made with the first namespace to delete; reported has the failure
	// of each namespace that was logged last. Only the worker uses them.
	deleter  deletion.NamespacedResourcesDeleterInterface
	reported map[string]string
}

func newNamespaceReaper(kube kubernetes.Interface, metadata metadata.Interface, logger *slog.Logger) *namespaceReaper {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](namespaceRetry, namespaceRetryMax)
	return &namespaceReaper{
		kube: kube, metadata: metadata, logger: logger, limiter: limiter,
		queue: workqueue.NewTypedRateLimitingQueue(limiter), reported: map[string]string{},
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
		return fmt.Errorf("follow the namespaces: %w", err)
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

// enqueue adds a namespace that is being deleted, unless it waits for its next
// attempt: a failed attempt writes conditions into the namespace, and would
// otherwise be the event that begins the next one.
func (r *namespaceReaper) enqueue(namespace *corev1.Namespace) {
	if namespace.DeletionTimestamp != nil && r.limiter.NumRequeues(namespace.Name) == 0 {
		r.queue.Add(namespace.Name)
	}
}

// next processes one namespace; it is false when the queue has been shut down.
func (r *namespaceReaper) next(ctx context.Context) bool {
	name, shutdown := r.queue.Get()
	if shutdown {
		return false
	}
	defer r.queue.Done(name)
	err := r.reap(ctx, name)
	if err == nil {
		r.queue.Forget(name)
		delete(r.reported, name)
		return true
	}
	if ctx.Err() == nil {
		r.report(name, err)
	}
	r.queue.AddRateLimited(name)
	return true
}

// report logs a failure that is not the one of the attempt before. Objects that
// wait for their finalizers are none.
func (r *namespaceReaper) report(name string, err error) {
	var remaining *deletion.ResourcesRemainingError
	text := failureText(err)
	if errors.As(err, &remaining) || r.reported[name] == text {
		return
	}
	r.reported[name] = text
	r.logger.Warn("a namespace cannot be emptied yet; retrying every "+namespaceRetryMax.String(),
		slog.String("namespace", name), slog.String("error", text))
}

// failureText is err with the parts of an aggregate sorted. The deleter collects
// them in the order of a map, which differs each time.
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
		// The deleter's constructor ends the process when it learns of no
		// resources at all, so ask first.
		resources, err := r.discover()
		if err != nil || len(resources) == 0 {
			return fmt.Errorf("find out which resources there are: %w", errors.Join(err, ctx.Err()))
		}
		r.deleter = deletion.NewNamespacedResourcesDeleter(ctx, r.kube.CoreV1().Namespaces(), r.metadata, r.kube.CoreV1(),
			r.discover, corev1.FinalizerKubernetes)
	}
	if err := r.deleter.Delete(ctx, name); err != nil {
		return err
	}
	return r.dropCollectorFinalizers(ctx, name)
}

// dropCollectorFinalizers frees an empty namespace that waits for a garbage
// collector. A daemon of an earlier version let clients set these finalizers.
func (r *namespaceReaper) dropCollectorFinalizers(ctx context.Context, name string) error {
	namespace, err := r.kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if namespace.DeletionTimestamp == nil || !slices.ContainsFunc(namespace.Finalizers, ofCollector) {
		return nil
	}
	namespace.Finalizers = slices.DeleteFunc(namespace.Finalizers, ofCollector)
	_, err = r.kube.CoreV1().Namespaces().Update(ctx, namespace, metav1.UpdateOptions{})
	return err
}

func (r *namespaceReaper) discover() ([]*metav1.APIResourceList, error) {
	return r.kube.Discovery().ServerPreferredNamespacedResources()
}
