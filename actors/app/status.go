package app

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	writeTimeout = 30 * time.Second
	// confirmAfter is how long the subscription may take to deliver an App that was
	// written. After that the App is read again, because it can be gone: informers do
	// not see an object that is created and removed while their watch is broken.
	confirmAfter = 30 * time.Second
)

// composeStatus returns the desired status.
func composeStatus(v view) appv1.AppStatus {
	status := appv1.AppStatus{
		VM: appv1.VMStatus{
			Driver: v.vm.Driver, DriverReason: v.vm.DriverReason, Endpoint: v.vm.Endpoint,
		},
		Engine: v.engine.Engine,
	}
	status.Conditions = append(status.Conditions, v.app.Status.Conditions...)
	if v.hub.Hub.Machine != "" {
		hub := v.hub.Hub
		status.Hub = &hub
	}
	if !v.hub.IsJoined {
		meta.RemoveStatusCondition(&status.Conditions, appv1.ConditionHubSynced)
	}
	for _, c := range conditions(v) {
		meta.SetStatusCondition(&status.Conditions, c)
	}
	return status
}

// write creates the App or updates its status, if necessary. One write runs at a time;
// the next one has what changes meanwhile. It reports whether the status is current.
func (a *app) write() bool {
	if a.writing || a.waiting || !a.synced {
		return false
	}
	if a.view.app == nil {
		probes, first := a.probes, a.lastSeenUID == ""
		a.start(func(ctx context.Context) (*appv1.App, error) { return a.create(ctx, probes, first) })
		return false
	}
	if a.view.vm.Generation == 0 {
		return false // the VM actor has not answered yet
	}
	status := composeStatus(a.view)
	a.Report(settledReason(status))
	if equality.Semantic.DeepEqual(status, a.view.app.Status) {
		return true
	}
	obj := a.view.app.DeepCopy()
	obj.Status = status
	a.start(func(ctx context.Context) (*appv1.App, error) { return obj, a.Kube.UpdateStatus(ctx, obj) })
	return false
}

// start runs a write as a task. After a conflict it reads the App instead.
func (a *app) start(f func(context.Context) (*appv1.App, error)) {
	a.writing = true
	a.tasks.Go(writeTimeout, func(ctx context.Context) any {
		app, err := f(ctx)
		if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
			app = &appv1.App{}
			app.Name = appv1.AppName
			err = a.Kube.Get(ctx, app)
		}
		return writeDone{app: app, err: err}
	})
}

// confirm reads the App again if the subscription has not delivered it.
func (a *app) confirm(uid types.UID) {
	if a.view.app == nil || a.view.app.UID != uid || a.lastSeenUID == uid {
		return
	}
	if a.writing {
		a.tasks.After(confirmAfter, confirmDue{uid})
		return
	}
	a.start(func(ctx context.Context) (*appv1.App, error) {
		obj := &appv1.App{}
		obj.Name = appv1.AppName
		return obj, a.Kube.Get(ctx, obj)
	})
}

// writeEnded handles the result of a write, and retries a failed one with back-off.
func (a *app) writeEnded(done writeDone) {
	a.writing = false
	if done.err == nil {
		a.attempts = 0
		a.appChanged(done.app)
		if done.app.UID != a.lastSeenUID {
			a.tasks.After(confirmAfter, confirmDue{done.app.UID})
		}
		return
	}
	a.attempts++
	a.waiting = true
	if errors.As(done.err, new(probeError)) {
		a.probes++
	}
	if apierrors.IsNotFound(done.err) {
		a.view.app = nil
	}
	a.Logger.Warn("the App could not be written", "err", done.err)
	backoff := async.Backoff{Min: 50 * time.Millisecond, Max: 10 * time.Second}
	a.tasks.After(backoff.Delay(a.attempts), writeDue{})
}

// settledReason returns the reason of the condition Settled.
func settledReason(s appv1.AppStatus) string {
	if c := meta.FindStatusCondition(s.Conditions, appv1.ConditionSettled); c != nil && c.Reason != "" {
		return c.Reason
	}
	return string(messages.VMStopped)
}
