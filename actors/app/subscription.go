package app

import (
	"context"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// subscribe subscribes this incarnation to the App.
func (a *app) subscribe() {
	a.tasks.Loop(func(ctx context.Context, send func(any)) any {
		if err := a.Subscribe(ctx, func(e kube.Event) { send(delivery{e}) }, append(kube.RequestObjects(), &appv1.App{})...); err != nil {
			return subscribeFailed{err}
		}
		return nil
	})
}

func (a *app) delivered(event kube.Event) {
	switch e := event.(type) {
	case kube.Changed:
		if _, ok := e.Object.(containersv1.Request); ok {
			a.requestDelivered(event)
			return
		}
		a.lastSeenUID = e.Object.GetUID()
		a.appChanged(e.Object.(*appv1.App))
	case kube.Removed:
		if _, ok := e.Object.(containersv1.Request); ok {
			a.requestDelivered(event)
			return
		}
		a.appRemoved()
	case kube.Synced:
		a.synced = true
	}
}

// appChanged keeps an App, unless it is stale.
func (a *app) appChanged(app *appv1.App) {
	if app.UID != "" && app.UID == a.removedUID {
		return
	}
	if old := a.view.app; old != nil && old.UID == app.UID && olderThan(app, old) {
		return
	}
	a.touchApp(a.view.app, app)
	a.view.app = app
}

func (a *app) appRemoved() { a.removedUID, a.view.app = a.lastSeenUID, nil }

// olderThan reports whether a is an older version of the same App than b.
func olderThan(a, b *appv1.App) bool {
	order, err := resourceversion.CompareResourceVersion(a.ResourceVersion, b.ResourceVersion)
	return err == nil && order < 0
}
