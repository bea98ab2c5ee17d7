package tables

import (
	"context"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
)

// fakeView lists one container, and records the namespaces of the lists.
type fakeView struct {
	registry.View

	lists []string
}

func (v *fakeView) List(ctx context.Context, _ *internalversion.ListOptions) (runtime.Object, error) {
	v.lists = append(v.lists, request.NamespaceValue(ctx))
	return &containersv1.ContainerList{Items: []containersv1.Container{*container(func(*containersv1.Container) {})}}, ctx.Err()
}

// A list reads the containers of its namespace. All watches share what was read less than
// a second ago, and the end of one watch does not matter to the others.
func TestWatchesShareUsers(t *testing.T) {
	view, now := &fakeView{}, clock()
	u := &usages{containers: view, used: usedImage, now: func() time.Time { return now }}
	for _, step := range []struct {
		verb, namespace string
		after           time.Duration
		want            []string
	}{
		{"list", "n", 0, []string{"n"}},
		{"watch", "n", 0, []string{"n", ""}},
		{"watch", "", watchedUse - 1, []string{"n", ""}},
		{"list", "other", 0, []string{"n", "", "other"}},
		{"watch", "other", 1, []string{"n", "", "other", ""}},
		{"watch", "n", -time.Hour, []string{"n", "", "other", "", ""}},
	} {
		now = now.Add(step.after)
		ctx, cancel := context.WithCancel(request.WithRequestInfo(t.Context(), &request.RequestInfo{Verb: step.verb, Namespace: step.namespace}))
		if step.verb == "watch" {
			cancel()
		}
		got, err := u.of(ctx)
		cancel()
		if err != nil || !slices.Equal(got[usedObject{"", "moby", "sha256:aa"}], []string{"web"}) || !slices.Equal(view.lists, step.want) {
			t.Errorf("%+v: users %v, lists %q, %v", step, got, view.lists, err)
		}
	}
}
