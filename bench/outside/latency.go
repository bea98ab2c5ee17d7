package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// latency measures, one object at a time and in the full engine, from the
// return of the engine's call to the event of a watch.
func latency(ctx context.Context, d *daemon, r *report, n sizes) error {
	k, err := newKube(ctx, d)
	if err != nil {
		return err
	}
	e, err := connect(ctx, d)
	if err != nil {
		return err
	}
	made, gone, err := volumeLatency(ctx, k, e, n.events)
	if err != nil {
		return err
	}
	r.latencies("event to watch: volume created", made)
	r.latencies("event to watch: volume removed", gone)
	started, err := containerLatency(ctx, k, e, n.events/10)
	if err != nil {
		return err
	}
	r.latencies("event to watch: container started", started)
	return nil
}

func volumeLatency(ctx context.Context, k *kube, e *engine, count int) (made, gone []time.Duration, err error) {
	events, err := watchMirrors(ctx, k, "volumes")
	if err != nil {
		return nil, nil, err
	}
	defer events.Stop()
	for i := range count {
		name := fmt.Sprintf("Latency_%d", i)
		if err := e.createVolume(ctx, name); err != nil {
			return nil, nil, err
		}
		took, err := until(ctx, events, func(event watch.EventType, o *unstructured.Unstructured) bool {
			return event != watch.Deleted && statusOf(o, "name") == name
		})
		if err != nil {
			return nil, nil, err
		}
		made = append(made, took)
		if err := e.call(ctx, http.MethodDelete, "/volumes/"+name, nil, nil); err != nil {
			return nil, nil, err
		}
		took, err = until(ctx, events, func(event watch.EventType, o *unstructured.Unstructured) bool {
			return event == watch.Deleted && statusOf(o, "name") == name
		})
		if err != nil {
			return nil, nil, err
		}
		gone = append(gone, took)
	}
	return made, gone, nil
}

func containerLatency(ctx context.Context, k *kube, e *engine, count int) ([]time.Duration, error) {
	events, err := watchMirrors(ctx, k, "containers")
	if err != nil {
		return nil, err
	}
	defer events.Stop()
	var started []time.Duration
	for i := range count {
		id, err := e.createContainer(ctx, fmt.Sprintf("latency%d", i), "base:1")
		if err != nil {
			return nil, err
		}
		if err := e.call(ctx, http.MethodPost, "/containers/"+id+"/start", nil, nil); err != nil {
			return nil, err
		}
		took, err := until(ctx, events, func(_ watch.EventType, o *unstructured.Unstructured) bool {
			return o.GetName() == id && statusOf(o, "status") == "running"
		})
		if err != nil {
			return nil, err
		}
		started = append(started, took)
		if err := e.call(ctx, http.MethodDelete, "/containers/"+id+"?force=1", nil, nil); err != nil {
			return nil, err
		}
	}
	return started, nil
}

func watchMirrors(ctx context.Context, k *kube, resource string) (watch.Interface, error) {
	list, err := k.mirrors(resource).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", resource, err)
	}
	events, err := k.mirrors(resource).Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", resource, err)
	}
	return events, nil
}

// until returns how long it took from now until an event fits. An event that
// came before the engine's call returned counts as no time at all.
func until(ctx context.Context, events watch.Interface, fits func(watch.EventType, *unstructured.Unstructured) bool) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		select {
		case event, open := <-events.ResultChan():
			if !open {
				return 0, fmt.Errorf("the watch was closed")
			}
			object, ok := event.Object.(*unstructured.Unstructured)
			if ok && fits(event.Type, object) {
				return time.Since(began), nil
			}
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for an event: %w", ctx.Err())
		}
	}
}

func statusOf(o *unstructured.Unstructured, field string) string {
	value, _, err := unstructured.NestedString(o.Object, "status", field)
	if err != nil {
		return ""
	}
	return value
}
