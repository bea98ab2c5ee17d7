package mirror

import (
	"context"
	"slices"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// stubbornEngine notes what is done to its one container.
type stubbornEngine struct {
	docker.API
	calls *[]string
}

func (e stubbornEngine) note(call string) error {
	*e.calls = append(*e.calls, call)
	return nil
}

func (e stubbornEngine) StartContainer(context.Context, string) error   { return e.note("start") }
func (e stubbornEngine) StopContainer(context.Context, string) error    { return e.note("stop") }
func (e stubbornEngine) UnpauseContainer(context.Context, string) error { return e.note("unpause") }
func (e stubbornEngine) Container(_ context.Context, id string) (*containersv1.Container, error) {
	c := engineContainer(containersv1.ContainerExited)
	c.Name = id
	return c, nil
}

// Whatever the container does, a wish ends in the command that carries it out. A
// paused one is let go on before: the engine refuses to start it, and it could not
// answer the signal to stop.
func TestS4AWishIsCarriedOutFromEveryState(t *testing.T) {
	for _, state := range []containersv1.ContainerState{
		containersv1.ContainerCreated, containersv1.ContainerRunning, containersv1.ContainerPausing, containersv1.ContainerPaused,
		containersv1.ContainerRestarting, containersv1.ContainerRemoving, containersv1.ContainerExited, containersv1.ContainerDead,
		containersv1.ContainerUnknown,
	} {
		for wish, command := range map[containersv1.DesiredState]string{
			containersv1.StateCreated: "stop", containersv1.StateRunning: "start",
		} {
			want := []string{command}
			if state == containersv1.ContainerPaused {
				want = []string{"unpause", command}
			}
			var calls []string
			stored := resource(wishes(wish))
			cfg := Config{Kind: containersv1.KindContainer, Name: "c1", Engine: stubbornEngine{calls: &calls}, Kube: &slowWriter{stored: stored}}
			v := view{kind: cfg.Kind, engine: present, desired: engineContainer(state), resource: stored}
			if op := decide(v).engine; op != carryWish {
				t.Errorf("%s and wished to be %s: %q", state, wish, op)
				continue
			}
			if out := cfg.operate(t.Context(), carryWish, v); out.err != nil || out.refused != nil || !slices.Equal(calls, want) {
				t.Errorf("%s and wished to be %s: did %q, %v, %v, want %q", state, wish, calls, out.err, out.refused, want)
			}
		}
	}
}

// movedEngine has one image, which has not the tag any more of the one that is to
// be removed.
type movedEngine struct {
	stubbornEngine
	id string
}

func (e movedEngine) Images(context.Context, string) ([]*containersv1.Image, error) {
	img := &containersv1.Image{}
	img.Name = containersv1.ImageResourceName(e.id, "app:1")
	img.Status.ID, img.Status.RepoTag = e.id, "app:1"
	return []*containersv1.Image{img}, nil
}

func (e movedEngine) RemoveImage(context.Context, string) error { return e.note("remove") }

// A tag names the image that has it now, and the user has deleted another one.
func TestTheImageThatGotTheTagOfADeletedOneStays(t *testing.T) {
	for id, want := range map[string][]string{"sha256:deleted": {"remove"}, "sha256:other": nil} {
		var calls []string
		deleted := &containersv1.Image{}
		deleted.Name = containersv1.ImageResourceName("sha256:deleted", "app:1")
		deleted.Status.ID, deleted.Status.RepoTag = "sha256:deleted", "app:1"
		cfg := Config{Kind: containersv1.KindImage, Name: deleted.Name, Engine: movedEngine{stubbornEngine{calls: &calls}, id}}
		out := outcome{op: removeObject}
		cfg.removeObject(t.Context(), view{kind: cfg.Kind, engine: present, desired: deleted}, &out)
		if !out.objectGone || !slices.Equal(calls, want) {
			t.Errorf("the tag is of %s: did %q, want %q; gone %t", id, calls, want, out.objectGone)
		}
	}
}
