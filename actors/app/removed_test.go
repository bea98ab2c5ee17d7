package app

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// The result of a write can arrive after the removal of the App. It is stale: with the
// removed App back in its view, the actor would never create a new one.
func TestLateWriteDoesNotRestoreRemovedApp(t *testing.T) {
	a := &app{}
	appWith := func(uid types.UID) *appv1.App {
		obj := &appv1.App{}
		obj.UID, obj.ResourceVersion = uid, "7"
		return obj
	}
	a.lastSeenUID = "first"
	a.appChanged(appWith("first"))
	a.appRemoved()
	a.appChanged(appWith("first"))
	if a.view.app != nil {
		t.Error("the removed App is back")
	}
	a.appChanged(appWith("second"))
	if a.view.app == nil || a.view.app.UID != "second" {
		t.Errorf("got %+v, want the next App", a.view.app)
	}
}
