package controlplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	queue    workqueue.TypedRateLimitingInterface[string]
	worker   sync.WaitGroup
	// deleter is made with the first namespace to delete; only the worker uses it.
	deleter deletion.NamespacedResourcesDeleterInterface
}

// startNamespaceReaper runs the reaper until ctx ends.
func startNamespaceReaper(ctx context.Context, reaper *namespaceReaper, namespaces coreinformers.NamespaceInformer) error {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[string](namespaceRetry, namespaceRetryMax)
	reaper.queue = workqueue.NewTypedRateLimitingQueue(limiter)
	enqueue := func(object any) {
		if namespace, ok := object.(*corev1.Namespace); ok && namespace.DeletionTimestamp != nil {
			reaper.queue.Add(namespace.Name)
		}
	}
	_, err := namespaces.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
	})
	if err != nil {
		return fmt.Errorf("follow the namespaces: %w", err)
	}
	context.AfterFunc(ctx, reaper.queue.ShutDown)
	reaper.worker.Go(func() {
		for reaper.next(ctx) {
		}
	})
	return nil
}

// next deals with one namespace; it is false when the queue has been shut down.
func (r *namespaceReaper) next(ctx context.Context) bool {
	name, shutdown := r.queue.Get()
	if shutdown {
		return false
	}
	defer r.queue.Done(name)
	err := r.reap(ctx, name)
	if err == nil {
		r.queue.Forget(name)
		return true
	}
	var remaining *deletion.ResourcesRemainingError
	if !errors.As(err, &remaining) && ctx.Err() == nil {
		r.logger.Warn("a namespace could not be emptied yet", slog.String("namespace", name), slog.Any("error", err))
	}
	r.queue.AddRateLimited(name)
	return true
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
	return r.deleter.Delete(ctx, name)
}

func (r *namespaceReaper) discover() ([]*metav1.APIResourceList, error) {
	return r.kube.Discovery().ServerPreferredNamespacedResources()
}
