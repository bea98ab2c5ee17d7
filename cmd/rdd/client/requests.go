package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

const (
	// requestInterval is the pause between two readings of a request that is followed.
	requestInterval = 100 * time.Millisecond
	// requestGrace is how long a request that is followed may be unreadable, as during a
	// restart of the daemon.
	requestGrace = 15 * time.Second
)

// RequestFailedError reports a request that could not be carried out, in the words of the
// engine or the registry.
type RequestFailedError struct{ Message string }

func (e *RequestFailedError) Error() string { return e.Message }

// requestPath returns the path of the requests of a kind and namespace.
func requestPath(r containersv1.Request) []string {
	gvr := r.RequestKind().GroupVersionResource()
	return []string{"/apis", gvr.Group, gvr.Version, "namespaces", r.GetNamespace(), gvr.Resource}
}

// CreateRequest creates a request, and updates r to the stored one.
func (c *Client) CreateRequest(ctx context.Context, r containersv1.Request) error {
	r.GetObjectKind().SetGroupVersionKind(r.RequestKind().GroupVersionKind())
	err := c.rest.Post().AbsPath(requestPath(r)...).
		Param("fieldManager", FieldManager).Param("fieldValidation", metav1.FieldValidationStrict).Body(r).Do(ctx).Into(r)
	if err != nil {
		return fmt.Errorf("create a %s: %w", r.RequestKind(), err)
	}
	return nil
}

// DeleteRequest deletes a request, which cancels it if it is under way.
func (c *Client) DeleteRequest(ctx context.Context, r containersv1.Request) error {
	err := c.rest.Delete().AbsPath(append(requestPath(r), r.GetName())...).Do(ctx).Error()
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s %s: %w", r.RequestKind(), r.GetName(), err)
	}
	return nil
}

// FollowRequest reads a request until it is finished, and calls shown with each reading.
// It returns a *RequestFailedError if the request has failed.
func (c *Client) FollowRequest(ctx context.Context, r containersv1.Request, shown func(containersv1.Request)) (containersv1.Request, error) {
	ticker := time.NewTicker(requestInterval)
	defer ticker.Stop()
	lastRead := time.Now()
	for {
		now := containersv1.NewRequest(r.RequestKind())
		err := c.rest.Get().AbsPath(append(requestPath(r), r.GetName())...).MaxRetries(0).Do(ctx).Into(now)
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("follow %s %s: %w", r.RequestKind(), r.GetName(), ctx.Err())
		case apierrors.IsNotFound(err), err == nil && now.GetUID() != r.GetUID():
			return nil, fmt.Errorf("%s %s was deleted, and so cancelled", r.RequestKind(), r.GetName())
		case err == nil:
			lastRead = time.Now()
			shown(now)
			if finished, err := requestOutcome(now); finished {
				return now, err
			}
		case time.Since(lastRead) > requestGrace:
			return nil, errors.Join(fmt.Errorf("follow %s %s: %w", r.RequestKind(), r.GetName(), err), ErrDaemonEnded)
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// requestOutcome returns whether a request is finished, and an error if it has failed.
func requestOutcome(r containersv1.Request) (finished bool, err error) {
	status := r.CommonStatus()
	switch {
	case meta.IsStatusConditionTrue(status.Conditions, containersv1.ConditionFailed):
		return true, &RequestFailedError{Message: status.Message}
	case meta.IsStatusConditionTrue(status.Conditions, containersv1.ConditionComplete):
		return true, nil
	}
	return false, nil
}
