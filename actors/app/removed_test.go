package app

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// The answer to a write that was on its way when the App was deleted comes in
// after the news of that: taken up, it would keep a new App from ever being made.
func TestALateAnswerDoesNotBringARemovedAppBack(t *testing.T) {
	a := &app{}
	told := func(uid types.UID) *appv1.App {
		obj := &appv1.App{}
		obj.UID, obj.ResourceVersion = uid, "7"
		return obj
	}
	a.lastSeenUID = "first"
	a.appChanged(told("first"))
	a.appRemoved()
	a.appChanged(told("first"))
	if a.view.app != nil {
		t.Error("the App that was deleted is there again")
	}
	a.appChanged(told("second"))
	if a.view.app == nil || a.view.app.UID != "second" {
		t.Errorf("the next App: %+v", a.view.app)
	}
}
