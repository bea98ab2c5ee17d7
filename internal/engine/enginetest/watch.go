package enginetest

import (
	"fmt"
	"maps"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func watchRules() []rule {
	return []rule{
		{"ReportsConnectedFirst", reportsConnectedFirst},
		{"ListsThenReportsEachObjectThenSyncs", syncsInOrder},
		{"CountsObjectsNotTags", countsObjects},
		{"ReportsNamespaceAndPredefinedNetworks", reportsPredefined},
		{"ReportsUnchangedKnownObjects", reportsKnown},
		{"ReportsChangedKnownObjects", reportsChangedKnown},
		{"LeavesOutKnownObjectsThatAreGone", leavesOutGone},
		{"ReportsWhatGetReturns", reportsWhatGetReturns},
		{"ConvergesAfterManyChanges", converges},
		{"WatchesAreIndependent", watchesAreIndependent},
	}
}

func reportsConnectedFirst(s *scene) {
	r := s.watch()
	if c, ok := r.all()[0].(engine.Connected); !ok || c.Version == "" || c.APIVersion == "" {
		s.Errorf("the first event is %+v", r.all()[0])
	}
}

// populate creates objects of each kind, and returns their keys.
func populate(s *scene) []engine.Key {
	two := s.ImportImage("two:1", "two:2")
	keys := []engine.Key{
		namespaceKey(), s.container(Container{}), s.container(Container{Name: "other", Image: "two:1"}),
		imageKey(s.ImageID(appTag), appTag), imageKey(two, "two:1"), imageKey(two, "two:2"), imageKey(s.ImportImage(), ""),
		s.volume("My_Volume"), s.network("Suite_net"),
	}
	s.StartContainer(keys[1].ID)
	return keys
}

// fullSync returns the events of the first full sync.
func fullSync(r *recorder) (listed engine.Listed, objects []engine.Object, synced engine.Synced) {
	r.scene.Helper()
	for i, event := range r.all() {
		switch v := event.(type) {
		case engine.Listed:
			if i != 1 {
				r.scene.Errorf("event %d is %+v", i, v)
			}
			listed = v
		case engine.Object:
			if listed.Counts == nil {
				r.scene.Errorf("event %d is %+v, before Listed", i, v)
			}
			objects = append(objects, v)
		case engine.Synced:
			return listed, objects, v
		case engine.Gone:
			r.scene.Errorf("event %d is %+v, and nothing was removed", i, v)
		case engine.Connected:
		}
	}
	r.scene.Fatal("no full sync")
	return listed, objects, synced
}

func syncsInOrder(s *scene) {
	want := populate(s)
	_, objects, synced := fullSync(s.watch())
	reported := map[engine.Key]bool{}
	for _, o := range objects {
		reported[engine.KeyOf(o.Mirror)] = true
		if o.AsOf.Before(synced.AsOf) {
			s.Errorf("%s was read before the sync began", name(engine.KeyOf(o.Mirror)))
		}
	}
	for _, key := range want {
		if !reported[key] {
			s.Errorf("%s is not reported", name(key))
		}
	}
	if len(synced.Unread) > 0 {
		s.Errorf("unread %v", synced.Unread)
	}
}

func countsObjects(s *scene) {
	populate(s)
	listed, objects, _ := fullSync(s.watch())
	ids := map[engine.Key]bool{}
	counts := map[containersv1.Kind]int{}
	for _, o := range objects {
		id := engine.Key{Kind: o.Mirror.MirrorKind(), ID: o.Mirror.ObjectID()}
		if !ids[id] && id.Kind != containersv1.KindContainerNamespace {
			counts[id.Kind]++
		}
		ids[id] = true
	}
	got := maps.Clone(listed.Counts)
	delete(got, containersv1.KindContainerNamespace)
	if !maps.Equal(got, counts) {
		s.Errorf("listed %v, reported %v", got, counts)
	}
	for kind, want := range map[containersv1.Kind]int{
		containersv1.KindContainer: 2, containersv1.KindImage: 3, containersv1.KindVolume: 1,
	} {
		if got[kind] != want {
			s.Errorf("listed %d of kind %s, want %d", got[kind], kind, want)
		}
	}
}

func reportsPredefined(s *scene) {
	r := s.watch()
	names := map[string]bool{}
	for _, m := range r.mirrors() {
		names[string(m.MirrorKind())+" "+m.DisplayName()] = true
	}
	for _, want := range []string{"ContainerNamespace moby", "Network host", "Network none"} {
		if !names[want] {
			s.Errorf("%s is not in %v", want, names)
		}
	}
}

func reportsKnown(s *scene) {
	populate(s)
	first := s.watch()
	known := first.mirrors()
	_, objects, synced := fullSync(s.watch(known...))
	reported := map[engine.Key]containersv1.Mirror{}
	for _, o := range objects {
		if !o.AsOf.Before(synced.AsOf) {
			reported[engine.KeyOf(o.Mirror)] = o.Mirror
		}
	}
	for _, m := range known {
		if now := reported[engine.KeyOf(m)]; now == nil || !now.SameStatus(m) {
			s.Errorf("%s was known as %+v and is reported as %+v", name(engine.KeyOf(m)), m, now)
		}
	}
}

func reportsChangedKnown(s *scene) {
	old, now := s.ImportImage(appTag), s.ImportImage("two:1")
	key := s.container(Container{Image: appTag})
	known := s.watch().mirrors()
	s.StartContainer(key.ID)
	s.TagImage(now, appTag)
	r := s.watch(known...)
	for _, m := range r.mirrors() {
		if engine.KeyOf(m) == imageKey(old, appTag) {
			s.Error("the image has its former tag")
		}
	}
	r.sees(time.Time{}, key, isIn(containersv1.ContainerRunning))
	r.sees(time.Time{}, imageKey(now, appTag), present)
}

func leavesOutGone(s *scene) {
	keys := []engine.Key{s.volume("data"), s.network("net"), s.container(Container{}), imageKey(s.ImportImage("two:1"), "two:1")}
	known := s.watch().mirrors()
	s.RemoveVolume("data")
	s.RemoveNetwork(keys[1].ID)
	s.RemoveContainer(keys[2].ID)
	s.RemoveImage("two:1")
	r := s.watch(known...)
	for _, m := range r.mirrors() {
		for _, key := range keys {
			if engine.KeyOf(m) == key {
				s.Errorf("%s is reported, and was removed", name(key))
			}
		}
	}
}

func reportsWhatGetReturns(s *scene) {
	populate(s)
	for _, m := range s.watch().mirrors() {
		if got := s.exists(engine.KeyOf(m)); !got.SameStatus(m) || got.GetName() != m.GetName() {
			s.Errorf("%s is reported as %+v, and read as %+v", name(engine.KeyOf(m)), m, got)
		}
	}
}

// converges makes changes without a pause, and compares the result field by field with
// that of a new watch.
func converges(s *scene) {
	keys := populate(s)
	r := s.watch()
	web, other := keys[1], keys[2]
	s.StopContainer(web.ID)
	s.StartContainer(web.ID)
	s.RenameContainer(web.ID, "renamed")
	s.RemoveContainer(other.ID)
	s.RemoveImage("two:2")
	image := s.ImportImage("three:1")
	s.TagImage(image, appTag)
	s.TagImage(s.ImageID("two:1"), "three:1")
	s.RemoveImage("two:1")
	s.RemoveVolume("My_Volume")
	s.CreateVolume("My_Volume")
	s.CreateVolume("other")
	s.RemoveNetwork(s.CreateNetwork("short"))
	s.StartContainer(s.CreateContainer(Container{Name: "third", Image: appTag, Network: "Suite_net"}))
	s.PauseContainer(web.ID)
	fresh := s.watch()
	testkit.Eventually(s, reportTimeout, "equal mirrors", func() error { return difference(r.mirrors(), fresh.mirrors()) })
}

// difference returns an error that names a mirror in which two sets differ.
func difference(one, other []containersv1.Mirror) error {
	byKey := map[engine.Key]containersv1.Mirror{}
	for _, m := range other {
		byKey[engine.KeyOf(m)] = m
	}
	for _, m := range one {
		key := engine.KeyOf(m)
		if byKey[key] == nil || !byKey[key].SameStatus(m) {
			return fmt.Errorf("%s is %+v and %+v", name(key), m, byKey[key])
		}
		delete(byKey, key)
	}
	for key := range byKey {
		return fmt.Errorf("%s is in one set only", name(key))
	}
	return nil
}

func watchesAreIndependent(s *scene) {
	one, two := s.watch(), s.watch()
	change := time.Now()
	key := s.volume("data")
	one.sees(change, key, present)
	two.sees(change, key, present)
	one.cancel()
	_ = one.result()
	change = time.Now()
	s.RemoveVolume("data")
	two.seesGone(change, key)
}
