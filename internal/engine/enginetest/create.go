package enginetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func createRules() []rule {
	return []rule{
		{"Container", containerRequested},
		{"ContainerAgainReturnsIt", containerRequestedAgain},
		{"ContainersAtOnceMakeOne", containersRequestedAtOnce},
		{"ContainerOfTakenNameConflicts", containerNameTaken},
		{"ContainerWithoutImageFails", containerWithoutImage},
		{"ContainerWithoutNetworkLeavesNothing", containerWithoutNetwork},
		{"ContainerOfSeveralNetworks", containerOfNetworks},
		{"ContainerThatNeverRanIsReplaced", containerReplaced},
		{"ContainerOfCommittedImageIsAnothers", containerOfCommittedImage},
		{"DiscardLeavesNothing", containerDiscarded},
		{"DiscardOfRunningIsRefused", runningDiscarded},
		{"DiscardOfMissingContainer", missingDiscarded},
		{"StartOfTakenPortFails", portTaken},
		{"Volume", volumeRequested},
		{"VolumeOfTakenNameConflicts", volumeNameTaken},
		{"Network", networkRequested},
		{"NetworkOfTakenNameConflicts", networkNameTaken},
		{"AfterCloseIsUnreachable", createAfterClose},
	}
}

// requested is the UID of most requests.
const requested types.UID = "9d5a1a3c-5b0e-4b0e-8f3e-000000000001"

// containerSpec returns a container web of a new image that can run.
func (s *scene) containerSpec() containersv1.ContainerCreateRequestSpec {
	s.ImportImage(appTag)
	return containersv1.ContainerCreateRequestSpec{
		Image: appTag, Name: "web", Command: []string{"/bin/busybox", "sleep"}, Args: []string{"86400"},
		Labels: map[string]string{"tier": "front"}, StopSignal: "SIGKILL", Networks: []string{"none"},
		Mounts: []containersv1.RequestedMount{{Type: containersv1.MountBind, Source: "/bin/busybox", MountPath: "/bin/busybox", ReadOnly: true}},
	}
}

func (s *scene) createContainer(spec containersv1.ContainerCreateRequestSpec, request types.UID) (engine.Key, error) {
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	return s.engine.CreateContainer(ctx, spec, request)
}

func (s *scene) mustCreate(spec containersv1.ContainerCreateRequestSpec, request types.UID) engine.Key {
	s.Helper()
	key, err := s.createContainer(spec, request)
	if err != nil {
		s.Fatalf("create container %s: %v", spec.Name, err)
	}
	return key
}

// keysOf returns the keys of all objects of a kind.
func (s *scene) keysOf(kind containersv1.Kind) (keys []engine.Key) {
	s.Helper()
	for _, m := range s.watch().mirrors() {
		if m.MirrorKind() == kind {
			keys = append(keys, engine.KeyOf(m))
		}
	}
	return keys
}

func containerRequested(s *scene) {
	r := s.watch()
	change := time.Now()
	key := s.mustCreate(s.containerSpec(), requested)
	r.sees(change, key, func(m containersv1.Mirror) bool {
		c := m.(*containersv1.Container).Status
		return c.Name == "web" && c.Status == containersv1.ContainerCreated && c.Path == "/bin/busybox" &&
			strings.Join(c.Args, " ") == "sleep 86400" && c.Labels["tier"] == "front" && c.Labels[containersv1.RequestLabel] == string(requested)
	})
	s.leads(key, engine.VerbStart, containersv1.ContainerRunning)
}

func containerRequestedAgain(s *scene) {
	spec := s.containerSpec()
	key := s.mustCreate(spec, requested)
	s.mustDo(key, engine.VerbStart)
	if again := s.mustCreate(spec, requested); again != key {
		s.Errorf("created again: %+v, want %+v", again, key)
	}
	s.RenameContainer(key.ID, "renamed")
	if again := s.mustCreate(spec, requested); again != key {
		s.Errorf("created again after its name was changed: %+v, want %+v", again, key)
	}
	if keys := s.keysOf(containersv1.KindContainer); len(keys) != 1 {
		s.Errorf("containers %v, want one", keys)
	}
}

// Its start may have been interrupted, after which dockerd can start it without ports.
func containerReplaced(s *scene) {
	spec := s.containerSpec()
	spec.Mounts = append(spec.Mounts, containersv1.RequestedMount{Type: containersv1.MountVolume, MountPath: "/anonymous"})
	first := s.mustCreate(spec, requested)
	second := s.mustCreate(spec, requested)
	s.isMissing(first)
	s.leads(second, engine.VerbStart, containersv1.ContainerRunning)
	if keys := s.keysOf(containersv1.KindVolume); len(keys) != 1 {
		s.Errorf("volumes %v, want that of the second container", keys)
	}
}

// A commit copies the label of the request's container to the image. Containers of that
// image have it too, and are neither replaced nor the result of the request.
func containerOfCommittedImage(s *scene) {
	spec := s.containerSpec()
	first := s.mustCreate(spec, requested)
	image := s.CommitContainer(first.ID)
	idle := containerKey(s.CreateContainer(Container{Name: "idle", Image: image}))
	s.RemoveContainer(first.ID)
	second := s.mustCreate(spec, requested)
	s.exists(idle)
	s.RemoveContainer(second.ID)
	s.mustDo(idle, engine.VerbStart)
	if third := s.mustCreate(spec, requested); third == idle {
		s.Error("a container that another client has created of the committed image is the result of the request")
	}
	s.exists(idle) // its process may have ended: the image has the entry point of the request
}

func runningDiscarded(s *scene) {
	key := s.mustCreate(s.containerSpec(), requested)
	s.mustDo(key, engine.VerbStart)
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	if err := s.engine.Discard(ctx, key); !engine.IsConflict(err) {
		s.Errorf("discard: %v, want a conflict", err)
	}
	if state := s.state(key); state != containersv1.ContainerRunning {
		s.Errorf("the container is %s, want running", state)
	}
}

// An attempt that is under way is no other client's container.
func containersRequestedAtOnce(s *scene) {
	spec := s.containerSpec()
	var creating sync.WaitGroup
	for range 5 {
		creating.Go(func() {
			if _, err := s.createContainer(spec, requested); err != nil && !errors.Is(err, engine.ErrUnderWay) {
				s.Errorf("create: %v", err)
			}
		})
	}
	creating.Wait()
	if keys := s.keysOf(containersv1.KindContainer); len(keys) != 1 {
		s.Errorf("containers %v, want one", keys)
	}
}

func containerNameTaken(s *scene) {
	spec := s.containerSpec()
	s.mustCreate(spec, "another")
	if _, err := s.createContainer(spec, requested); !engine.IsConflict(err) || errors.Is(err, engine.ErrUnderWay) || !strings.Contains(err.Error(), "already in use") {
		s.Errorf("create: %v, want that the name is in use", err)
	}
}

func containerWithoutImage(s *scene) {
	spec := s.containerSpec()
	spec.Image = "missing:1"
	if _, err := s.createContainer(spec, requested); !errors.Is(err, engine.ErrNoImage) || !engine.IsNotFound(err) {
		s.Errorf("create: %v, want that there is no such image", err)
	}
}

func containerWithoutNetwork(s *scene) {
	s.network("one")
	spec := s.containerSpec()
	spec.Networks = []string{"one", "missing"}
	if _, err := s.createContainer(spec, requested); !engine.IsNotFound(err) || errors.Is(err, engine.ErrNoImage) {
		s.Errorf("create: %v, want that there is no such network", err)
	}
	if keys := s.keysOf(containersv1.KindContainer); len(keys) != 0 {
		s.Errorf("containers %v are left", keys)
	}
}

func containerOfNetworks(s *scene) {
	one, two := s.network("one"), s.network("two")
	spec := s.containerSpec()
	spec.Networks = []string{"one", "two"}
	r := s.watch()
	change := time.Now()
	key := s.mustCreate(spec, requested)
	s.mustDo(key, engine.VerbStart)
	r.sees(change, one, attached(1))
	r.sees(change, two, attached(1))
}

func containerDiscarded(s *scene) {
	spec := s.containerSpec()
	spec.Mounts = append(spec.Mounts, containersv1.RequestedMount{Type: containersv1.MountVolume, MountPath: "/anonymous"})
	key := s.mustCreate(spec, requested)
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	if err := s.engine.Discard(ctx, key); err != nil {
		s.Fatalf("discard: %v", err)
	}
	s.isMissing(key)
	if keys := s.keysOf(containersv1.KindVolume); len(keys) != 0 {
		s.Errorf("volumes %v are left", keys)
	}
}

func missingDiscarded(s *scene) {
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	if err := s.engine.Discard(ctx, containerKey(strings.Repeat("0", 64))); err != nil {
		s.Errorf("discard: %v", err)
	}
}

func portTaken(s *scene) {
	s.network("one")
	spec := s.containerSpec()
	port := int32(18473)
	spec.Networks = []string{"one"}
	spec.Ports = []containersv1.RequestedPort{{ContainerPort: 80, HostPort: &port, HostIP: "127.0.0.1", Protocol: "TCP"}}
	first := s.mustCreate(spec, "another")
	s.mustDo(first, engine.VerbStart)
	spec.Name = "late"
	key := s.mustCreate(spec, requested)
	if err := s.do(key, engine.VerbStart); err == nil || engine.IsUnreachable(err) || !strings.Contains(err.Error(), "18473") {
		s.Errorf("start: %v, want that the port is taken", err)
	}
	if c := s.exists(key).(*containersv1.Container).Status; c.StartedAt != nil {
		s.Errorf("a container that never ran has started at %s", c.StartedAt)
	}
}

// createVolume creates the volume data for a request.
func (s *scene) createVolume() (engine.Key, error) {
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	return s.engine.CreateVolume(ctx, containersv1.VolumeCreateRequestSpec{Name: "data", Driver: "local", Labels: map[string]string{"a": "b"}}, requested)
}

func volumeRequested(s *scene) {
	r := s.watch()
	change := time.Now()
	key, err := s.createVolume()
	if err != nil || key != volumeKey("data") {
		s.Fatalf("create: %+v, %v", key, err)
	}
	r.sees(change, key, func(m containersv1.Mirror) bool {
		labels := m.(*containersv1.Volume).Status.Labels
		return labels["a"] == "b" && labels[containersv1.RequestLabel] == string(requested)
	})
	if again, err := s.createVolume(); err != nil || again != key {
		s.Errorf("created again: %+v, %v", again, err)
	}
}

func volumeNameTaken(s *scene) {
	s.volume("data")
	if _, err := s.createVolume(); !engine.IsConflict(err) || !strings.Contains(err.Error(), "exists already") {
		s.Errorf("create: %v, want that the name is taken", err)
	}
}

// createNetwork creates the network back for a request.
func (s *scene) createNetwork() (engine.Key, error) {
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	return s.engine.CreateNetwork(ctx, containersv1.NetworkCreateRequestSpec{
		Name: "back", Driver: "bridge", Internal: true, Subnets: []containersv1.RequestedSubnet{{Subnet: "10.213.7.0/24"}},
	}, requested)
}

func networkRequested(s *scene) {
	r := s.watch()
	change := time.Now()
	key, err := s.createNetwork()
	if err != nil {
		s.Fatalf("create: %v", err)
	}
	r.sees(change, key, func(m containersv1.Mirror) bool {
		n := m.(*containersv1.Network).Status
		return n.Name == "back" && n.Internal && n.Labels[containersv1.RequestLabel] == string(requested) &&
			len(n.IPAM.Configs) == 1 && n.IPAM.Configs[0].Subnet == "10.213.7.0/24"
	})
	if again, err := s.createNetwork(); err != nil || again != key {
		s.Errorf("created again: %+v, %v", again, err)
	}
}

// A request is retried then.
func createAfterClose(s *scene) {
	_ = s.engine.Close()
	if _, err := s.createVolume(); !engine.IsUnreachable(err) {
		s.Errorf("create: %v, want unreachable", err)
	}
}

func networkNameTaken(s *scene) {
	s.network("back")
	if _, err := s.createNetwork(); !engine.IsConflict(err) || !strings.Contains(err.Error(), "exists") {
		s.Errorf("create: %v, want that the name is taken", err)
	}
}
