package engine

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// reading returns a container in a state, with networks.
func reading(name string, state containersv1.ContainerState, networks ...string) *containersv1.Container {
	c := &containersv1.Container{}
	c.Name, c.Status.Status = name, state
	for _, n := range networks {
		c.Status.Networks = append(c.Status.Networks, containersv1.ContainerNetwork{Name: n})
	}
	return c
}

// refusing returns a world whose engine refuses something for a container, a network and
// a volume. Another container is there too.
func refusing(t *testing.T) *world {
	w := newWorld(t)
	w.send(connectTo(1))
	w.last(t)
	network := &containersv1.Network{}
	network.Name = "net"
	for _, m := range []containersv1.Mirror{reading("port", containersv1.ContainerCreated), network} {
		w.send(messages.SessionEvent{Event: engine.Object{Mirror: m, AsOf: time.Now()}})
		synctest.Wait() // it settles
		w.send(messages.MirrorSettled{Kind: m.MirrorKind(), Name: m.GetName(), AsOf: time.Now(), Refused: true})
	}
	w.send(messages.MirrorSettled{Kind: containersv1.KindVolume, Name: "good", AsOf: time.Now(), Refused: true})
	synctest.Wait()
	return w
}

// taken returns the mirrors that have retried since the last call.
func (w *world) taken() (names []string) {
	synctest.Wait()
	w.retried.Range(func(name, _ any) bool {
		names = append(names, name.(string))
		return true
	})
	w.retried.Clear()
	slices.Sort(names)
	return names
}

func TestStoppedContainerUnblocksRefused(t *testing.T) {
	const running, exited = containersv1.ContainerRunning, containersv1.ContainerExited
	for name, tc := range map[string]struct {
		before, after *containersv1.Container
		want          []string
	}{
		"stopped":            {reading("c1", running, "a"), reading("c1", exited, "a"), []string{"net", "port"}},
		"left a network":     {reading("c1", running, "a", "b"), reading("c1", running, "a"), []string{"net", "port"}},
		"unchanged":          {reading("c1", running, "a"), reading("c1", running, "a"), nil},
		"started":            {reading("c1", exited, "a"), reading("c1", running, "a", "b"), nil},
		"the refused itself": {reading("port", running), reading("port", exited), nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := refusing(t)
				for _, send := range []func(c *containersv1.Container){
					func(c *containersv1.Container) {
						w.send(messages.SessionEvent{Event: engine.Object{Mirror: c, AsOf: time.Now()}})
					},
					func(c *containersv1.Container) { w.send(messages.MirrorRead{Object: c, AsOf: time.Now()}) },
				} {
					send(tc.before)
					synctest.Wait() // it settles
					w.send(messages.MirrorSettled{Kind: containersv1.KindContainer, Name: "port", AsOf: time.Now(), Refused: true})
					w.taken()
					send(tc.after)
					if got := w.taken(); !slices.Equal(got, tc.want) {
						t.Errorf("%v have retried, want %v", got, tc.want)
					}
				}
			})
		})
	}
}
