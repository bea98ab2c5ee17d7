package enginetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func getRules() []rule {
	return []rule{
		{"FindsEachKind", findsEachKind},
		{"IsNotFoundForEachKind", isNotFoundForEachKind},
		{"RemovedIsNotFound", removedIsNotFound},
		{"ImageWithMovedTagIsNotFound", movedTagIsNotFound},
		{"UntaggedImageThatGotTagIsNotFound", taggedIsNotFoundUntagged},
		{"NamesMirrorByKey", namesMirrorByKey},
		{"DescribesContainer", describesContainer},
		{"DescribesContainersNetwork", describesContainersNetwork},
		{"DescribesRestarts", describesRestarts},
		{"DescribesImage", describesImage},
		{"DescribesVolume", describesVolume},
		{"DescribesNetwork", describesNetwork},
	}
}

func findsEachKind(s *scene) {
	for _, key := range populate(s) {
		if got := engine.KeyOf(s.exists(key)); got != key {
			s.Errorf("get %s returns %s", name(key), name(got))
		}
	}
}

func isNotFoundForEachKind(s *scene) {
	id := strings.Repeat("ab", 32)
	s.isMissing(containerKey(id))
	s.isMissing(imageKey("sha256:"+id, ""))
	s.isMissing(imageKey("sha256:"+id, "missing:1"))
	s.isMissing(volumeKey("missing"))
	s.isMissing(engine.Key{Kind: containersv1.KindNetwork, ID: id})
	s.isMissing(engine.Key{Kind: containersv1.KindContainerNamespace, ID: "missing"})
}

func removedIsNotFound(s *scene) {
	keys := populate(s)
	slices.SortFunc(keys, func(a, b engine.Key) int { return strings.Compare(string(a.Kind), string(b.Kind)) }) // containers first
	for _, key := range keys {
		switch key.Kind {
		case containersv1.KindContainer:
			s.RemoveContainer(key.ID)
		case containersv1.KindImage:
			s.RemoveImage(cmp.Or(key.Tag, key.ID))
		case containersv1.KindVolume:
			s.RemoveVolume(key.ID)
		case containersv1.KindNetwork:
			s.RemoveNetwork(key.ID)
		case containersv1.KindContainerNamespace:
			continue
		}
		s.isMissing(key)
	}
}

func movedTagIsNotFound(s *scene) {
	old := s.ImportImage(appTag, "app:2")
	now := s.ImportImage(appTag)
	s.isMissing(imageKey(old, appTag))
	s.exists(imageKey(old, "app:2"))
	s.exists(imageKey(now, appTag))
}

func taggedIsNotFoundUntagged(s *scene) {
	id := s.ImportImage()
	s.exists(imageKey(id, ""))
	s.TagImage(id, appTag)
	s.isMissing(imageKey(id, ""))
	s.exists(imageKey(id, appTag))
}

// The Kubernetes namespace is the caller's to set.
func namesMirrorByKey(s *scene) {
	for _, key := range populate(s) {
		m := s.exists(key)
		if m.GetName() != key.ResourceName() || m.GetNamespace() != "" || m.MirrorKind() != key.Kind {
			s.Errorf("%s is mirrored as %s %q, namespace %q", name(key), m.MirrorKind(), m.GetName(), m.GetNamespace())
		}
	}
	volume := volumeKey("My_Volume").ResourceName()
	if !strings.HasPrefix(volume, "vol-") || strings.ToLower(volume) != volume {
		s.Errorf("the volume is mirrored as %s", volume)
	}
}

func describesContainer(s *scene) {
	key := s.running(Container{Name: "web", Volumes: []string{"data"}, Labels: map[string]string{"a": "b"}})
	got := s.exists(key).(*containersv1.Container).Status
	if got.Name != "web" || got.Namespace != containersv1.MobyNamespace || got.Image != appTag || got.Path == "" ||
		got.Status != containersv1.ContainerRunning || got.PID == 0 || got.CreatedAt == nil || got.StartedAt == nil || got.FinishedAt != nil {
		s.Errorf("running: %+v", got)
	}
	if got.ImageID != s.ImageID(appTag) || got.Hostname != key.ID[:12] || got.RestartPolicy.Name != "no" || got.Labels["a"] != "b" ||
		got.ExitReason != "" || len(got.Networks) != 1 || got.Networks[0].Name != "none" {
		s.Errorf("running: %+v", got)
	}
	if want := (containersv1.ContainerMount{Type: "volume", Volume: "data", Destination: "/data"}); !slices.Contains(got.Mounts, want) {
		s.Errorf("the mounts %+v lack %+v", got.Mounts, want)
	}
	s.StopContainer(key.ID)
	got = s.exists(key).(*containersv1.Container).Status
	if got.Status != containersv1.ContainerExited || got.PID != 0 || got.ExitCode == 0 || got.FinishedAt == nil ||
		!strings.HasPrefix(got.ExitReason, "ended by signal ") {
		s.Errorf("exited: %+v", got)
	}
}

// The addresses are there while the container runs.
func describesContainersNetwork(s *scene) {
	s.network("Suite_net")
	key := s.running(Container{Network: "Suite_net"})
	got := s.exists(key).(*containersv1.Container).Status.Networks
	if len(got) != 1 || got[0].Name != "Suite_net" || len(got[0].Addresses) != 1 || got[0].MACAddress == "" {
		s.Errorf("running: %+v", got)
	}
	s.StopContainer(key.ID)
	got = s.exists(key).(*containersv1.Container).Status.Networks
	if len(got) != 1 || got[0].Name != "Suite_net" || len(got[0].Addresses) != 0 {
		s.Errorf("stopped: %+v", got)
	}
}

func describesRestarts(s *scene) {
	key := s.running(Container{Crashes: true})
	// Between two pauses the container runs for a moment, without an exit.
	testkit.Eventually(s, reportTimeout, "a container that restarts", func() error {
		got := s.exists(key).(*containersv1.Container).Status
		if got.RestartPolicy.Name != "always" || got.RestartCount == 0 || got.ExitReason != "exited with code 1" {
			return fmt.Errorf("the status is %+v", got)
		}
		return nil
	})
}

func describesImage(s *scene) {
	id := s.ImportImage(appTag)
	got := s.exists(imageKey(id, appTag)).(*containersv1.Image).Status
	if got.ID != id || got.RepoTag != appTag || got.Namespace != containersv1.MobyNamespace || got.OS != "linux" || got.Architecture == "" || got.CreatedAt == nil {
		s.Errorf("image: %+v", got)
	}
}

func describesVolume(s *scene) {
	got := s.exists(s.volume("My_Volume")).(*containersv1.Volume).Status
	if got.Name != "My_Volume" || got.Namespace != containersv1.MobyNamespace || got.Driver != "local" || got.Scope != "local" ||
		!strings.HasSuffix(got.Mountpoint, "/volumes/My_Volume/_data") || got.CreatedAt == nil {
		s.Errorf("volume: %+v", got)
	}
}

func describesNetwork(s *scene) {
	key := s.network("Suite_net")
	s.running(Container{Network: "Suite_net"})
	got := s.exists(key).(*containersv1.Network).Status
	if got.Name != "Suite_net" || got.ID != key.ID || got.Namespace != containersv1.MobyNamespace || got.Driver != "bridge" ||
		got.Scope != "local" || got.Internal || len(got.IPAM.Configs) == 0 || got.Containers != 1 {
		s.Errorf("network: %+v", got)
	}
}
