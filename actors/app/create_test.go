package app

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// creations keeps what is created.
type creations struct {
	Writer
	made []*appv1.App
}

func (c *creations) Create(_ context.Context, obj client.Object) error {
	c.made = append(c.made, obj.(*appv1.App).DeepCopy())
	return nil
}

// E5: the datastore was moved away, as a damaged one is told to be, while the
// engine runs: the App that is made lets it go on, just as it is.
func TestE5AppThatIsMadeBesideAnEngineLetsItGoOn(t *testing.T) {
	there := messages.VMSpec{
		Driver: appv1.DriverLima, Engine: appv1.EngineContainerd,
		VM: messages.VMProperties{
			CPUs: 3, Memory: 3 << 30, Disk: 9 << 30, Image: appv1.ImageCloud, Acceleration: "tcg", Restart: "r", Reset: "s",
		},
	}
	unreadable := errors.New("permission denied")
	for _, tc := range []struct {
		name  string
		found bool
		err   error
		looks int
		first bool
		// want is what the VM actor is told; nil when no App is made yet.
		want *messages.EnsureVM
	}{
		{name: "no engine", first: true, want: &messages.EnsureVM{}},
		{name: "an engine", found: true, first: true, want: &messages.EnsureVM{Running: true, Spec: there}},
		{name: "nobody could look", err: unreadable, first: true},
		{name: "nobody can look", err: unreadable, looks: looksAtMost, first: true, want: &messages.EnsureVM{}},
		{name: "the user has deleted the App", found: true, want: &messages.EnsureVM{}},
	} {
		kube := &creations{}
		a := &app{Config: Config{
			Kube: kube, Namespace: "here", Logger: slog.New(slog.DiscardHandler),
			Existing: func(context.Context) (messages.VMSpec, bool, error) {
				if !tc.found {
					return messages.VMSpec{}, false, tc.err
				}
				return there, true, nil
			},
		}}
		made, err := a.create(t.Context(), tc.looks, tc.first)
		if tc.want == nil {
			if !errors.Is(err, tc.err) || len(kube.made) != 0 {
				t.Errorf("%s: %v, made %v", tc.name, err, kube.made)
			}
			continue
		}
		if err != nil || len(kube.made) != 1 || made.Spec.Namespace != "here" {
			t.Fatalf("%s: %v, made %+v", tc.name, err, made)
		}
		if got := wantedVM(view{app: made}); got != *tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, *tc.want)
		}
	}
}
