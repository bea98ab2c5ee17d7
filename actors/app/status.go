package app

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	writeTimeout = 30 * time.Second
	// confirmAfter is how long the bridge may take to tell of an App that was
	// written. One that it never tells of may be gone: who follows changes does
	// not see what came and went while its watch was broken.
	confirmAfter = 30 * time.Second
)

// Messages of the actor to itself.
type (
	writeDone struct {
		app *appv1.App
		err error
	}
	writeDue struct{}
	// confirmDue says that the bridge should have told of this App by now.
	confirmDue struct{ app types.UID }
	graceOver  struct{}
)

// composeStatus is what the status should be.
func composeStatus(v view) appv1.AppStatus {
	status := appv1.AppStatus{
		VM: appv1.VMStatus{
			Driver: v.vm.Driver, DriverReason: v.vm.DriverReason, Endpoint: v.vm.Endpoint,
		},
		Engine: v.engine.Engine,
	}
	status.Conditions = append(status.Conditions, v.app.Status.Conditions...)
	for _, c := range conditions(v) {
		meta.SetStatusCondition(&status.Conditions, c)
	}
	return status
}

// write brings the resource up to what is known. One write runs at a time; what
// changes meanwhile is in the next one. It answers whether nothing was to write.
func (a *app) write() bool {
	if a.writing || a.waiting || !a.heard {
		return false
	}
	if a.view.app == nil {
		looks, first := a.looks, a.heardOf == ""
		a.start(func(ctx context.Context) (*appv1.App, error) { return a.create(ctx, looks, first) })
		return false
	}
	if a.view.vm.Generation == 0 {
		return false // nothing is known yet of what runs
	}
	status := composeStatus(a.view)
	a.Report(settledWord(status))
	if equality.Semantic.DeepEqual(status, a.view.app.Status) {
		return true
	}
	obj := a.view.app.DeepCopy()
	obj.Status = status
	a.start(func(ctx context.Context) (*appv1.App, error) { return obj, a.Kube.UpdateStatus(ctx, obj) })
	return false
}

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

// confirm reads the App again if the bridge has not told of it.
func (a *app) confirm(uid types.UID) {
	if a.view.app == nil || a.view.app.UID != uid || a.heardOf == uid {
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

func (a *app) written(d task.Done) {
	value, ok := a.tasks.Take(d)
	if !ok {
		return
	}
	switch v := value.(type) {
	case writeDue:
		a.waiting = false
	case graceOver:
		a.view.graceOver = true
	case confirmDue:
		a.confirm(v.app)
	case writeDone:
		a.writing = false
		if v.err == nil {
			a.attempts = 0
			a.appChanged(v.app)
			if v.app.UID != a.heardOf {
				a.tasks.After(confirmAfter, confirmDue{v.app.UID})
			}
			return
		}
		a.attempts++
		a.waiting = true
		if errors.As(v.err, new(lookError)) {
			a.looks++
		}
		if apierrors.IsNotFound(v.err) {
			a.view.app = nil
		}
		a.Logger.Warn("the App could not be written", "err", v.err)
		backoff := async.Backoff{Min: 50 * time.Millisecond, Max: 10 * time.Second}
		a.tasks.After(backoff.Delay(a.attempts), writeDue{})
	}
}

func settledWord(s appv1.AppStatus) string {
	if c := meta.FindStatusCondition(s.Conditions, appv1.ConditionSettled); c != nil && c.Reason != "" {
		return c.Reason
	}
	return string(messages.VMStopped)
}

// olderThan is whether a is an older version of the same App than b.
func olderThan(a, b *appv1.App) bool {
	order, err := resourceversion.CompareResourceVersion(a.ResourceVersion, b.ResourceVersion)
	return err == nil && order < 0
}
