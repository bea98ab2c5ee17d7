package controlplane

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/client-go/tools/reference"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	eventstorage "k8s.io/kubernetes/pkg/registry/core/event/storage"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

const (
	// eventSource is the component that the daemon's events name.
	eventSource = "rdd"
	// eventQueue is how many events may wait to be written. Beyond that they are dropped.
	eventQueue = 1000
	// maxEventMessage is the maximum size of an event's message in bytes, the same as in
	// Kubernetes.
	maxEventMessage = 1024
)

// eventLimits returns the limits of the events, which are kept in memory. Kubernetes
// keeps events for an hour, too.
func eventLimits() datastore.Limits {
	return datastore.Limits{Objects: 1000, Bytes: 4 << 20, Age: time.Hour}
}

// eventRecorder writes the daemon's events. Event does not block: a goroutine writes
// them. Repetitions of an event raise its count, and too many events of one object are
// combined or dropped, by the rules of client-go's recorder.
type eventRecorder struct {
	scheme    *runtime.Scheme
	store     *eventstorage.REST
	admission admission.MutationInterface
	logger    *slog.Logger
	dropped   logLimiter
	queue     chan *corev1.Event
	writer    sync.WaitGroup
}

func newEventRecorder(store *eventstorage.REST, admission admission.MutationInterface, logger *slog.Logger) (*eventRecorder, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(appv1alpha1.AddToScheme(scheme), containersv1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return &eventRecorder{
		scheme: scheme, store: store, admission: admission, logger: logger, queue: make(chan *corev1.Event, eventQueue),
	}, nil
}

// Event records an event of an object. eventType is [corev1.EventTypeNormal] or
// [corev1.EventTypeWarning]; reason is one word in camel case.
func (r *eventRecorder) Event(object runtime.Object, eventType, reason, message string) {
	about, err := reference.GetReference(r.scheme, object)
	if err != nil {
		r.logger.Error("an event has no object", slog.String("reason", reason), slog.Any("error", err))
		return
	}
	select {
	case r.queue <- newEvent(about, eventType, reason, cut(message, maxEventMessage), time.Now()):
	default:
		r.dropped.record(reason, func(count int) {
			r.logger.Warn("events were dropped, because too many happened at once", slog.String("reason", reason), slog.Int("count", count))
		})
	}
}

func newEvent(about *corev1.ObjectReference, eventType, reason, message string, at time.Time) *corev1.Event {
	namespace := about.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault // as in Kubernetes, for objects without a namespace
	}
	return &corev1.Event{
		ObjectMeta:          metav1.ObjectMeta{Name: util.GenerateEventName(about.Name, at.UnixNano()), Namespace: namespace},
		InvolvedObject:      *about,
		Type:                eventType,
		Reason:              reason,
		Message:             message,
		FirstTimestamp:      metav1.NewTime(at),
		LastTimestamp:       metav1.NewTime(at),
		Count:               1,
		Source:              corev1.EventSource{Component: eventSource},
		ReportingController: eventSource,
	}
}

// cut returns at most limit bytes of text, without half a character at the end.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = "…"
	return strings.ToValidUTF8(text[:limit-len(mark)], "") + mark
}

// start writes events until ctx ends.
func (r *eventRecorder) start(ctx context.Context) {
	r.writer.Go(func() {
		correlator := record.NewEventCorrelatorWithOptions(record.CorrelatorOptions{LRUCacheSize: eventLimits().Objects})
		for {
			select {
			case event := <-r.queue:
				r.write(ctx, correlator, event)
			case <-ctx.Done():
				return
			}
		}
	})
}

// write writes an event, unless too many of its object have happened.
func (r *eventRecorder) write(ctx context.Context, correlator *record.EventCorrelator, event *corev1.Event) {
	result, err := correlator.EventCorrelate(event)
	if err != nil || result.Skip {
		r.report(ctx, event, err)
		return
	}
	ctx = request.WithNamespace(ctx, event.Namespace)
	// The version selects the rules of the validation.
	ctx = request.WithRequestInfo(ctx, &request.RequestInfo{APIVersion: corev1.SchemeGroupVersion.Version})
	written, err := r.put(ctx, result.Event)
	if err == nil {
		correlator.UpdateState(written)
	}
	r.report(ctx, event, err)
}

// report logs why an event could not be written. The end of the control plane and that
// of the namespace are no errors.
func (r *eventRecorder) report(ctx context.Context, event *corev1.Event, err error) {
	if err == nil || ctx.Err() != nil || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return
	}
	r.logger.Warn("an event could not be written", slog.String("reason", event.Reason), slog.String("message", event.Message), slog.Any("error", err))
}

// put creates an event, or updates the one that it repeats, which may be gone.
func (r *eventRecorder) put(ctx context.Context, event *corev1.Event) (*corev1.Event, error) {
	if event.Count > 1 {
		if written, err := r.repeat(ctx, event); !apierrors.IsNotFound(err) {
			return written, err
		}
	}
	event.ResourceVersion = ""
	return r.create(ctx, event)
}

func (r *eventRecorder) create(ctx context.Context, event *corev1.Event) (*corev1.Event, error) {
	object := &core.Event{}
	if err := legacyscheme.Scheme.Convert(event, object, nil); err != nil {
		return nil, err
	}
	return result(r.store.Create(ctx, object, r.admit, &metav1.CreateOptions{}))
}

// admit refuses an event in a namespace that is missing or being deleted. The namespace
// of events about objects without a namespace need not exist.
func (r *eventRecorder) admit(ctx context.Context, object runtime.Object) error {
	event := object.(*core.Event)
	if event.InvolvedObject.Namespace == "" {
		return nil
	}
	return r.admission.Admit(ctx, admission.NewAttributesRecord(event, nil, corev1.SchemeGroupVersion.WithKind("Event"), event.Namespace, event.Name,
		corev1.SchemeGroupVersion.WithResource("events"), "", admission.Create, &metav1.CreateOptions{}, false, nil), nil)
}

// repeat updates the fields of an event that a repetition changes.
func (r *eventRecorder) repeat(ctx context.Context, event *corev1.Event) (*corev1.Event, error) {
	change := func(_ context.Context, _, stored runtime.Object) (runtime.Object, error) {
		object := stored.DeepCopyObject().(*core.Event)
		if object.ResourceVersion == "" {
			return nil, apierrors.NewNotFound(core.Resource("events"), event.Name)
		}
		object.Count, object.LastTimestamp, object.Message = event.Count, event.LastTimestamp, event.Message
		return object, nil
	}
	object, _, err := r.store.Update(ctx, event.Name, rest.DefaultUpdatedObjectInfo(nil, change), rest.ValidateAllObjectFunc,
		rest.ValidateAllObjectUpdateFunc, false, &metav1.UpdateOptions{})
	return result(object, err)
}

// result converts a stored event.
func result(object runtime.Object, err error) (*corev1.Event, error) {
	if err != nil {
		return nil, err
	}
	event := &corev1.Event{}
	return event, legacyscheme.Scheme.Convert(object, event, nil)
}
