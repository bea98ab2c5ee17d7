package enginetest

import (
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func removeRules() []rule {
	return []rule{
		{"EachKind", removesEachKind},
		{"OfMissingObjectIsNotFound", removeOfMissing},
		{"RunningContainer", func(s *scene) { s.removes(s.running(Container{})) }},
		{"PausedContainer", func(s *scene) {
			key := s.running(Container{})
			s.PauseContainer(key.ID)
			s.removes(key)
		}},
		{"RestartingContainer", func(s *scene) { s.removes(s.running(Container{Crashes: true})) }},
		{"KeepsAnonymousVolume", keepsAnonymousVolume},
		{"OneOfTwoTagsKeepsOther", oneOfTwoTags},
		{"OneOfTwoTagsOfUsedImage", oneOfTwoTagsOfUsed},
		{"LastTagRemovesImage", lastTag},
		{"UntaggedImage", func(s *scene) { s.removes(imageKey(s.ImportImage(), "")) }},
		{"MovedTagKeepsImage", movedTagKeepsImage},
		{"ImageOfStoppedContainerIsConflict", func(s *scene) { s.refusesUsedImage(s.container(Container{})) }},
		{"ImageOfRunningContainerIsConflict", func(s *scene) { s.refusesUsedImage(s.running(Container{})) }},
		{"UntaggedImageInUseIsConflict", untaggedImageInUse},
		{"VolumeInUseIsConflict", volumeInUse},
		{"NetworkInUseIsRefused", networkInUse},
		{"PredefinedNetworkIsRefused", predefinedNetworks},
		{"NamespaceFails", func(s *scene) {
			if err := s.do(namespaceKey(), engine.VerbRemove); err == nil || engine.IsNotFound(err) {
				s.Errorf("remove the namespace: %v", err)
			}
		}},
	}
}

// removes removes an object, and then removes it again.
func (s *scene) removes(key engine.Key) {
	s.Helper()
	s.mustDo(key, engine.VerbRemove)
	s.isMissing(key)
	if err := s.do(key, engine.VerbRemove); !engine.IsNotFound(err) {
		s.Errorf("a second remove of %s: %v, want not found", name(key), err)
	}
}

// refuses checks that the engine refuses to remove an object, and that its own words
// are reported, alone.
func (s *scene) refuses(key engine.Key, begin string, contains ...string) error {
	s.Helper()
	err := s.do(key, engine.VerbRemove)
	if err == nil || engine.IsNotFound(err) || engine.IsUnreachable(err) {
		s.Fatalf("remove %s: %v, want a refusal", name(key), err)
	}
	for _, want := range contains {
		if !strings.HasPrefix(err.Error(), begin) || !strings.Contains(err.Error(), want) {
			s.Errorf("remove %s: %q, want the engine's %q with %q", name(key), err, begin, want)
		}
	}
	s.exists(key)
	return err
}

// refusesAsConflict is refuses, and checks the class of the error.
func (s *scene) refusesAsConflict(key engine.Key, begin string, contains ...string) {
	s.Helper()
	if err := s.refuses(key, begin, contains...); !engine.IsConflict(err) {
		s.Errorf("remove %s: %v, want a conflict", name(key), err)
	}
}

func removesEachKind(s *scene) {
	image := imageKey(s.ImportImage("two:1"), "two:1")
	for _, key := range []engine.Key{s.container(Container{}), image, s.volume("My_Volume"), s.network("Suite_net")} {
		s.removes(key)
	}
}

func removeOfMissing(s *scene) {
	id := strings.Repeat("ab", 32)
	for _, key := range []engine.Key{
		containerKey(id), imageKey("sha256:"+id, ""), imageKey("sha256:"+id, "missing:1"), volumeKey("missing"),
		{Kind: containersv1.KindNetwork, ID: id},
	} {
		if err := s.do(key, engine.VerbRemove); !engine.IsNotFound(err) || engine.IsConflict(err) || engine.IsUnreachable(err) {
			s.Errorf("remove %s: %v, want not found", name(key), err)
		}
	}
}

func keepsAnonymousVolume(s *scene) {
	key := s.container(Container{Volumes: []string{""}})
	volume := s.onlyVolume()
	s.removes(key)
	s.exists(volume)
}

func oneOfTwoTags(s *scene) {
	id := s.ImportImage(appTag, "app:2")
	s.removes(imageKey(id, appTag))
	s.exists(imageKey(id, "app:2"))
}

func oneOfTwoTagsOfUsed(s *scene) {
	id := s.ImportImage(appTag, "app:2")
	s.running(Container{Image: appTag})
	s.removes(imageKey(id, appTag))
	s.exists(imageKey(id, "app:2"))
}

func lastTag(s *scene) {
	id := s.ImportImage(appTag)
	s.removes(imageKey(id, appTag))
	s.isMissing(imageKey(id, ""))
}

// A tag names the image that has it now, and the user has deleted another one.
func movedTagKeepsImage(s *scene) {
	old := s.ImportImage(appTag)
	now := s.ImportImage(appTag)
	if err := s.do(imageKey(old, appTag), engine.VerbRemove); !engine.IsNotFound(err) {
		s.Errorf("remove the former owner of the tag: %v, want not found", err)
	}
	s.exists(imageKey(now, appTag))
}

func (s *scene) refusesUsedImage(container engine.Key) {
	s.Helper()
	image := imageKey(s.ImageID(appTag), appTag)
	s.refusesAsConflict(image, "conflict: unable to ", container.ID[:12])
	s.RemoveContainer(container.ID)
	s.removes(image)
}

func untaggedImageInUse(s *scene) {
	id := s.ImportImage()
	c := s.container(Container{Image: id})
	s.refusesAsConflict(imageKey(id, ""), "conflict: unable to ", c.ID[:12])
}

func volumeInUse(s *scene) {
	c := s.container(Container{Volumes: []string{"data"}})
	s.refusesAsConflict(volumeKey("data"), "remove data: volume is in use", c.ID)
	s.RemoveContainer(c.ID)
	s.removes(volumeKey("data"))
}

func networkInUse(s *scene) {
	key := s.network("Suite_net")
	c := s.running(Container{Network: "Suite_net"})
	_ = s.refuses(key, "error while removing network: ", "Suite_net", "has active endpoints")
	s.RemoveContainer(c.ID)
	s.removes(key)
}

func predefinedNetworks(s *scene) {
	for _, m := range s.watch().mirrors() {
		if network, ok := m.(*containersv1.Network); ok {
			_ = s.refuses(engine.KeyOf(m), network.Status.Name, " is a pre-defined network and cannot be removed")
		}
	}
}
