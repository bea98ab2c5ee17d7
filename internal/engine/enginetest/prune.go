package enginetest

import (
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func pruneRules() []rule {
	return []rule{
		{"RemovesUnusedOfEachKind", pruneEachKind},
		{"KeepsWhatRuns", pruneKeepsWhatRuns},
		{"KeepsWhatStoppedContainerUses", pruneKeepsWhatStoppedUses},
		{"AllSelectsTaggedAndNamed", pruneAll},
		{"UntilKeepsNewer", pruneUntil},
		{"LabelsSelect", pruneLabels},
		{"OnlySelectedKinds", pruneKinds},
		{"NamesBytesOfImage", pruneBytes},
		{"BuildCache", pruneBuildCache},
	}
}

func pruneable() []containersv1.Kind {
	return []containersv1.Kind{containersv1.KindContainer, containersv1.KindImage, containersv1.KindVolume, containersv1.KindNetwork}
}

// prunes checks that a dry run lists these objects and keeps them, and that a prune
// then removes them and reports the same.
func (s *scene) prunes(options engine.PruneOptions, want ...engine.Key) []engine.Pruned {
	s.Helper()
	sortKeys := func(keys []engine.Key) []engine.Key {
		slices.SortFunc(keys, func(a, b engine.Key) int { return compareText(a.ResourceName(), b.ResourceName()) })
		return keys
	}
	keysOf := func(list []engine.Pruned) (keys []engine.Key) {
		for _, p := range list {
			keys = append(keys, p.Key)
		}
		return sortKeys(keys)
	}
	sortKeys(want)
	options.DryRun = true
	plan, err := s.engine.Prune(s.transferContext(), options, func(p engine.Pruned) { s.Errorf("a dry run removed %s", p.Name) })
	if got := keysOf(plan); err != nil || !slices.Equal(got, want) {
		s.Fatalf("a dry run lists\n%v, %v, want\n%v", got, err, want)
	}
	for _, key := range want {
		s.exists(key)
	}
	options.DryRun = false
	var reported []engine.Pruned
	done, err := s.engine.Prune(s.transferContext(), options, func(p engine.Pruned) { reported = append(reported, p) })
	if err != nil || !slices.Equal(keysOf(done), want) || !slices.Equal(keysOf(reported), want) {
		s.Fatalf("a prune removed\n%v, reported\n%v, %v, want\n%v", keysOf(done), keysOf(reported), err, want)
	}
	for _, key := range want {
		s.isMissing(key)
	}
	return done
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func pruneEachKind(s *scene) {
	untagged := s.ImportImage()
	s.ImportImage(appTag)
	ended := s.container(Container{Image: appTag, Volumes: []string{"", "named"}})
	anonymous := s.anonymousVolume()
	network := s.network("Suite_net")
	s.prunes(engine.PruneOptions{Kinds: pruneable()}, ended, imageKey(untagged, ""), anonymous, network)
	s.exists(volumeKey("named"))
	s.exists(imageKey(s.ImageID(appTag), appTag))
	s.prunes(engine.PruneOptions{Kinds: pruneable()})
}

// anonymousVolume returns the key of the only anonymous volume.
func (s *scene) anonymousVolume() (found engine.Key) {
	s.Helper()
	for _, m := range s.watch().mirrors() {
		if key := engine.KeyOf(m); key.Kind == containersv1.KindVolume && len(key.ID) == 64 {
			found = key
		}
	}
	if found.ID == "" {
		s.Fatal("there is no anonymous volume")
	}
	return found
}

func pruneKeepsWhatRuns(s *scene) {
	s.network("Suite_net")
	c := s.running(Container{Network: "Suite_net", Volumes: []string{"", "named"}})
	paused := s.running(Container{Name: "paused", Image: appTag})
	s.PauseContainer(paused.ID)
	s.prunes(engine.PruneOptions{Kinds: pruneable(), All: true})
	s.exists(c)
	s.exists(paused)
}

func pruneKeepsWhatStoppedUses(s *scene) {
	s.network("Suite_net")
	s.container(Container{Network: "Suite_net", Volumes: []string{"named"}})
	s.prunes(engine.PruneOptions{Kinds: pruneable()[1:], All: true})
}

// The removal of a container makes its image, volume and network unused.
func pruneAll(s *scene) {
	id := s.ImportImage(appTag, "app:2")
	network := s.network("Suite_net")
	ended := s.running(Container{Image: appTag, Network: "Suite_net", Volumes: []string{"named"}})
	s.KillContainer(ended.ID)
	s.prunes(engine.PruneOptions{Kinds: pruneable(), All: true},
		ended, network, volumeKey("named"), imageKey(id, appTag), imageKey(id, "app:2"))
}

func pruneUntil(s *scene) {
	c, network := s.container(Container{}), s.network("Suite_net")
	s.prunes(engine.PruneOptions{Kinds: pruneable(), All: true, Until: time.Now().Add(-time.Hour)})
	s.prunes(engine.PruneOptions{Kinds: pruneable()[:1], Until: time.Now().Add(time.Hour)}, c)
	s.exists(network)
}

// Imported images have the label n.
func pruneLabels(s *scene) {
	s.volume("data")
	id := s.ImportImage(appTag)
	labels := s.exists(imageKey(id, appTag)).(*containersv1.Image).Status.Labels
	s.prunes(engine.PruneOptions{Kinds: pruneable(), All: true, Labels: []engine.LabelFilter{{Key: "n", Value: "no such value", HasValue: true}}})
	s.prunes(engine.PruneOptions{Kinds: pruneable(), All: true, Labels: []engine.LabelFilter{{Key: "n", Value: labels["n"], HasValue: true}}},
		imageKey(id, appTag))
	s.exists(volumeKey("data"))
}

func pruneKinds(s *scene) {
	c, network, volume := s.container(Container{}), s.network("Suite_net"), s.volume("data")
	s.prunes(engine.PruneOptions{Kinds: []containersv1.Kind{containersv1.KindNetwork}, All: true}, network)
	s.exists(c)
	s.exists(volume)
}

func pruneBytes(s *scene) {
	id := s.ImportLargeImage(appTag, largeImage)
	done := s.prunes(engine.PruneOptions{Kinds: pruneable(), All: true}, imageKey(id, appTag))
	if done[0].Bytes < largeImage || done[0].Name != appTag {
		s.Errorf("%+v, want more than %d bytes", done[0], largeImage)
	}
}

// Some records of a build are the engine's own, which only All selects.
func pruneBuildCache(s *scene) {
	s.MakeBuildCache()
	options := engine.PruneOptions{Kinds: []containersv1.Kind{engine.KindBuildCache}, All: true, DryRun: true}
	prune := func(options engine.PruneOptions) []engine.Pruned {
		s.Helper()
		list, err := s.engine.Prune(s.transferContext(), options, func(p engine.Pruned) {
			if options.DryRun {
				s.Errorf("a dry run removed %s", p.Name)
			}
		})
		if err != nil {
			s.Fatal(err)
		}
		return list
	}
	plan := prune(options)
	if len(plan) < 2 {
		s.Fatalf("the build cache has %+v", plan)
	}
	for _, p := range plan {
		if p.Name == "" || p.Key.ID == "" || p.Key.Kind != engine.KindBuildCache {
			s.Errorf("a record is %+v", p)
		}
	}
	old, labelled, other := options, options, options
	old.Until = time.Now().Add(-time.Hour)
	labelled.Labels = []engine.LabelFilter{{Key: "n"}}
	other.Kinds = pruneable()
	for what, options := range map[string]engine.PruneOptions{"an hour ago": old, "a label": labelled, "other kinds": other} {
		for _, p := range prune(options) {
			if p.Key.Kind == engine.KindBuildCache {
				s.Errorf("%s selects %+v", what, p)
			}
		}
	}
	options.DryRun = false
	if done := prune(options); len(done) != len(plan) {
		s.Errorf("a prune removed %+v, want %+v", done, plan)
	}
	if left := prune(options); len(left) > 0 {
		s.Errorf("a second prune removed %+v", left)
	}
}
