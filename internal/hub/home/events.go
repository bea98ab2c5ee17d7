package home

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

const (
	// eventSource is the component that events name.
	eventSource = "rdd"
	// eventsPerSecond bounds the writes of events.
	eventsPerSecond = 5
)

// events writes events to the hub. It implements kube.Recorder. A goroutine writes them and
// retries what fails, for two minutes; an event that is lost then concerns nothing else, so
// the log does not have it.
type events struct {
	record.EventRecorder

	broadcaster record.EventBroadcaster
}

var _ kube.Recorder = events{}

// newEvents returns a recorder of events in the namespace of this machine.
func newEvents(config *rest.Config, httpClient *http.Client, scheme *runtime.Scheme, namespace string) (events, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = eventsPerSecond, eventsPerSecond
	core, err := coreclient.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return events{}, fmt.Errorf("create a client for events: %w", err)
	}
	silent := klog.NewContext(context.Background(), logr.Discard())
	broadcaster := record.NewBroadcaster(record.WithContext(silent))
	broadcaster.StartRecordingToSink(&coreclient.EventSinkImpl{Interface: core.Events(namespace)})
	recorder := broadcaster.NewRecorder(scheme, corev1.EventSource{Component: eventSource}).WithLogger(logr.Discard())
	return events{recorder, broadcaster}, nil
}

// close ends the writes.
func (e events) close() { e.broadcaster.Shutdown() }
