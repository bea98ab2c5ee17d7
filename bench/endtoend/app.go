package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// app has the fields of the App that are used here.
type app struct {
	Metadata struct {
		Generation int64 `json:"generation"`
	} `json:"metadata"`
	Status struct {
		Conditions []metav1.Condition `json:"conditions"`
	} `json:"status"`
}

// is reports whether a condition has this status for the current generation.
func (a *app) is(kind string, status metav1.ConditionStatus) bool {
	c := meta.FindStatusCondition(a.Status.Conditions, kind)
	return c != nil && c.Status == status && c.ObservedGeneration == a.Metadata.Generation
}

// observation is the state of the App, and when it was seen.
type observation struct {
	app app
	at  time.Time
}

// appWatch delivers the states of the App since it was opened.
type appWatch struct {
	cancel context.CancelFunc
	states chan observation
	failed chan error
}

// watchApp opens a watch. It delivers the current state first.
func (s *apiClient) watchApp(ctx context.Context) (*appWatch, error) {
	ctx, cancel := context.WithCancel(ctx)
	events, err := openStream[app](ctx, s, appPath)
	if err != nil {
		cancel()
		return nil, err
	}
	w := &appWatch{cancel: cancel, states: make(chan observation, 1024), failed: make(chan error, 1)}
	go func() {
		defer events.Close()
		for {
			event, err := events.next()
			if err != nil {
				w.failed <- err
				return
			}
			w.states <- observation{app: event.Object, at: time.Now()}
		}
	}()
	return w, nil
}

func (w *appWatch) close() { w.cancel() }

// await returns the time of the first state that matches.
func (w *appWatch) await(ctx context.Context, what string, fits func(*app) bool) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var last app
	for {
		select {
		case state := <-w.states:
			if last = state.app; fits(&last) {
				return state.at, nil
			}
		case err := <-w.failed:
			return time.Time{}, fmt.Errorf("wait for %s: %w", what, err)
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for %s: %w; the App says %v", what, ctx.Err(), last.Status.Conditions)
		}
	}
}

// settled waits until the App of this generation has settled.
func (w *appWatch) settled(ctx context.Context, generation int64) (time.Time, error) {
	return w.await(ctx, "the App to settle", func(a *app) bool {
		return a.Metadata.Generation >= generation && a.is(appv1.ConditionSettled, metav1.ConditionTrue)
	})
}
