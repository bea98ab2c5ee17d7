package enginetest

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func imageChanges() []rule {
	return []rule{
		{"Import", imageImported},
		{"ImportUntagged", untaggedImageImported},
		{"Tag", imageTagged},
		{"TagUntagged", untaggedImageTagged},
		{"Untag", imageUntagged},
		{"Remove", imageRemoved},
		{"RemoveParent", parentRemoved},
		{"MoveTag", tagMoved},
		{"MoveOnlyTag", onlyTagMoved},
		{"Load", imageLoaded},
		{"Commit", containerCommitted},
	}
}

func imageImported(s *scene) {
	r := s.watch()
	change := time.Now()
	id := s.ImportImage("registry.example:5000/team/app:V1", appTag)
	r.sees(change, imageKey(id, appTag), present)
	r.sees(change, imageKey(id, "registry.example:5000/team/app:V1"), present)
}

func untaggedImageImported(s *scene) {
	r := s.watch()
	change := time.Now()
	id := s.ImportImage()
	r.sees(change, imageKey(id, ""), present)
}

func imageTagged(s *scene) {
	id := s.ImportImage(appTag)
	r := s.watch()
	change := time.Now()
	s.TagImage(id, "app:2")
	r.sees(change, imageKey(id, "app:2"), present)
	r.sees(change, imageKey(id, appTag), present)
}

func untaggedImageTagged(s *scene) {
	id := s.ImportImage()
	r := s.watch()
	change := time.Now()
	s.TagImage(id, appTag)
	r.sees(change, imageKey(id, appTag), present)
	r.seesGone(change, imageKey(id, ""))
}

func imageUntagged(s *scene) {
	id := s.ImportImage(appTag, "app:2")
	r := s.watch()
	change := time.Now()
	s.RemoveImage("app:2")
	r.seesGone(change, imageKey(id, "app:2"))
	r.sees(change, imageKey(id, appTag), present)
}

func imageRemoved(s *scene) {
	id := s.ImportImage(appTag)
	r := s.watch()
	change := time.Now()
	s.RemoveImage(appTag)
	r.seesGone(change, imageKey(id, appTag))
}

// An engine with layers keeps the image, and hides it because another image is built on
// it.
func parentRemoved(s *scene) {
	parent := s.ImportImage(appTag)
	c := s.container(Container{Image: appTag})
	child := s.CommitContainer(c.ID)
	s.RemoveContainer(c.ID)
	r := s.watch()
	change := time.Now()
	s.mustDo(imageKey(parent, appTag), engine.VerbRemove)
	r.seesGone(change, imageKey(parent, appTag))
	fresh := s.watch()
	for _, m := range fresh.mirrors() {
		if m.ObjectID() == parent {
			s.Errorf("the image without a tag is reported as %+v", m)
		}
	}
	r.sees(time.Time{}, imageKey(child, ""), present)
	testkit.Eventually(s, reportTimeout, "equal mirrors", func() error { return difference(r.mirrors(), fresh.mirrors()) })
}

// No event names the image that loses the tag.
func tagMoved(s *scene) {
	old, to := s.ImportImage(appTag, "app:2"), s.ImportImage("two:1")
	r := s.watch()
	change := time.Now()
	s.TagImage(to, appTag)
	r.sees(change, imageKey(to, appTag), present)
	r.seesGone(change, imageKey(old, appTag))
	r.sees(change, imageKey(old, "app:2"), present)
}

func onlyTagMoved(s *scene) {
	old, to := s.ImportImage(appTag), s.ImportImage("two:1")
	r := s.watch()
	change := time.Now()
	s.TagImage(to, appTag)
	r.sees(change, imageKey(to, appTag), present)
	r.seesGone(change, imageKey(old, appTag))
	r.sees(change, imageKey(old, ""), present)
}

// The event of a load names the image, and not the tag that it moves.
func imageLoaded(s *scene) {
	s.ImportImage(appTag)
	archive := s.SaveImage(appTag)
	other := s.ImportImage(appTag)
	r := s.watch()
	change := time.Now()
	s.LoadImage(archive)
	r.sees(change, imageKey(s.ImageID(appTag), appTag), present)
	r.seesGone(change, imageKey(other, appTag))
}

// The event of a commit is the container's.
func containerCommitted(s *scene) {
	key := s.container(Container{})
	r := s.watch()
	change := time.Now()
	id := s.CommitContainer(key.ID)
	r.sees(change, imageKey(id, ""), present)
}

func volumeChanges() []rule {
	return []rule{
		{"Create", volumeCreated},
		{"CreateAnonymous", anonymousVolumeCreated},
		{"Remove", volumeRemoved},
		{"Prune", volumesPruned},
	}
}

func volumeCreated(s *scene) {
	r := s.watch()
	change := time.Now()
	key := s.volume("My_Volume")
	r.sees(change, key, func(m containersv1.Mirror) bool { return m.DisplayName() == "My_Volume" })
}

func anonymousVolumeCreated(s *scene) {
	s.ImportImage(appTag)
	r := s.watch()
	s.container(Container{Image: appTag, Volumes: []string{""}})
	r.sees(time.Time{}, s.onlyVolume(), present)
}

func volumeRemoved(s *scene) {
	key := s.volume("data")
	r := s.watch()
	change := time.Now()
	s.RemoveVolume("data")
	r.seesGone(change, key)
}

// The event of a prune names no volume.
func volumesPruned(s *scene) {
	s.container(Container{Volumes: []string{"used"}})
	one, two := s.volume("one"), s.volume("two")
	r := s.watch()
	change := time.Now()
	s.PruneVolumes()
	r.seesGone(change, one)
	r.seesGone(change, two)
	r.sees(time.Time{}, volumeKey("used"), present)
}

func networkChanges() []rule {
	return []rule{
		{"Create", networkCreated},
		{"Remove", networkRemoved},
		{"Prune", networksPruned},
		{"Connect", networkConnected},
		{"ConnectCreated", createdContainerConnected},
		{"DisconnectStopped", stoppedContainerDisconnected},
		{"Disconnect", networkDisconnected},
		{"StartAndStop", networkOfStartedContainer},
	}
}

// attached returns a condition that a network with so many containers meets.
func attached(n int32) func(containersv1.Mirror) bool {
	return func(m containersv1.Mirror) bool { return m.(*containersv1.Network).Status.Containers == n }
}

func networkCreated(s *scene) {
	r := s.watch()
	change := time.Now()
	key := s.network("Suite_net")
	r.sees(change, key, func(m containersv1.Mirror) bool {
		n := m.(*containersv1.Network).Status
		return n.Name == "Suite_net" && n.Driver == "bridge" && n.Scope == "local" && len(n.IPAM.Configs) > 0 && n.CreatedAt != nil
	})
}

func networkRemoved(s *scene) {
	key := s.network("net")
	r := s.watch()
	change := time.Now()
	s.RemoveNetwork(key.ID)
	r.seesGone(change, key)
}

func networksPruned(s *scene) {
	one, used := s.network("one"), s.network("used")
	s.running(Container{Network: "used"})
	r := s.watch()
	change := time.Now()
	s.PruneNetworks()
	r.seesGone(change, one)
	if _, err := s.get(used); err != nil {
		s.Errorf("the network of a container: %v", err)
	}
}

func networkConnected(s *scene) {
	s.network("one")
	key := s.network("two")
	c := s.running(Container{Network: "one"})
	r := s.watch()
	change := time.Now()
	s.ConnectNetwork(key.ID, c.ID)
	r.sees(change, key, attached(1))
}

func networkDisconnected(s *scene) {
	key := s.network("one")
	c := s.running(Container{Network: "one"})
	r := s.watch()
	r.sees(time.Time{}, key, attached(1))
	change := time.Now()
	s.DisconnectNetwork(key.ID, c.ID)
	r.sees(change, key, attached(0))
}

// A container that does not run joins the network when it starts.
func createdContainerConnected(s *scene) {
	s.network("one")
	key := s.network("two")
	c := s.container(Container{Network: "one"})
	r := s.watch()
	s.ConnectNetwork(key.ID, c.ID)
	change := time.Now()
	s.StartContainer(c.ID)
	r.sees(change, key, attached(1))
}

func stoppedContainerDisconnected(s *scene) {
	s.network("one")
	key := s.network("two")
	c := s.running(Container{Network: "one"})
	s.ConnectNetwork(key.ID, c.ID)
	s.StopContainer(c.ID)
	s.DisconnectNetwork(key.ID, c.ID)
	s.removes(key)
	s.leads(c, engine.VerbStart, containersv1.ContainerRunning)
}

func networkOfStartedContainer(s *scene) {
	key := s.network("one")
	c := s.container(Container{Network: "one"})
	r := s.watch()
	change := time.Now()
	s.StartContainer(c.ID)
	r.sees(change, key, attached(1))
	change = time.Now()
	s.StopContainer(c.ID)
	r.sees(change, key, attached(0))
}
