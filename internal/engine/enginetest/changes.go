package enginetest

import (
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// containerChange is a change of a container, and the state after it.
type containerChange struct {
	name    string
	prepare func(*scene) engine.Key
	change  func(*scene, string)
	want    containersv1.ContainerState
}

func containerChanges() []rule {
	created := func(s *scene) engine.Key { return s.container(Container{}) }
	running := func(s *scene) engine.Key { return s.running(Container{}) }
	paused := func(s *scene) engine.Key {
		key := s.running(Container{})
		s.PauseContainer(key.ID)
		return key
	}
	rules := []rule{
		{"Create", containerCreated},
		{"Rename", containerRenamed},
		{"Remove", containerRemoved},
		{"RemoveRunning", runningContainerRemoved},
		{"AutoRemove", containerAutoRemoved},
		{"AutoRemoveTakesAnonymousVolume", anonymousVolumeAutoRemoved},
		{"FailedStart", containerFailedToStart},
	}
	for _, c := range []containerChange{
		{"Start", created, func(s *scene, id string) { s.StartContainer(id) }, containersv1.ContainerRunning},
		{"Stop", running, func(s *scene, id string) { s.StopContainer(id) }, containersv1.ContainerExited},
		{"Die", running, func(s *scene, id string) { s.KillContainer(id) }, containersv1.ContainerExited},
		{"Pause", running, func(s *scene, id string) { s.PauseContainer(id) }, containersv1.ContainerPaused},
		{"Crash", func(s *scene) engine.Key { return s.container(Container{Crashes: true}) },
			func(s *scene, id string) { s.StartContainer(id) }, containersv1.ContainerRestarting},
		{"Unpause", paused, func(s *scene, id string) { s.UnpauseContainer(id) }, containersv1.ContainerRunning},
	} {
		rules = append(rules, rule{c.name, c.check})
	}
	return rules
}

func (c containerChange) check(s *scene) {
	key := c.prepare(s)
	r := s.watch()
	change := time.Now()
	c.change(s, key.ID)
	r.sees(change, key, isIn(c.want))
}

func containerCreated(s *scene) {
	s.ImportImage(appTag)
	r := s.watch()
	change := time.Now()
	key := s.container(Container{Image: appTag, Name: "new"})
	r.sees(change, key, func(m containersv1.Mirror) bool {
		status := m.(*containersv1.Container).Status
		return status.Name == "new" && status.Image == appTag && status.Status == containersv1.ContainerCreated
	})
}

func containerRenamed(s *scene) {
	key := s.container(Container{})
	r := s.watch()
	change := time.Now()
	s.RenameContainer(key.ID, "renamed")
	r.sees(change, key, func(m containersv1.Mirror) bool { return m.DisplayName() == "renamed" })
}

func containerRemoved(s *scene) {
	key := s.container(Container{})
	r := s.watch()
	change := time.Now()
	s.RemoveContainer(key.ID)
	r.seesGone(change, key)
}

func runningContainerRemoved(s *scene) {
	key := s.running(Container{})
	r := s.watch()
	change := time.Now()
	s.RemoveContainer(key.ID)
	r.seesGone(change, key)
}

func containerAutoRemoved(s *scene) {
	key := s.running(Container{AutoRemove: true})
	r := s.watch()
	change := time.Now()
	s.KillContainer(key.ID)
	r.seesGone(change, key)
}

// Unlike a removal, the end of a container with --rm removes its anonymous volumes.
func anonymousVolumeAutoRemoved(s *scene) {
	key := s.running(Container{AutoRemove: true, Volumes: []string{"", "named"}})
	r := s.watch()
	var anonymous engine.Key
	for _, m := range r.mirrors() {
		if m.MirrorKind() == containersv1.KindVolume && m.ObjectID() != "named" {
			anonymous = engine.KeyOf(m)
		}
	}
	change := time.Now()
	s.KillContainer(key.ID)
	r.seesGone(change, key)
	r.seesGone(change, anonymous)
	s.exists(volumeKey("named"))
}

// The engine changes the exit code and the error, and sends no event of the container.
func containerFailedToStart(s *scene) {
	key := s.container(Container{FailsToStart: true})
	r := s.watch()
	change := time.Now()
	err := s.do(key, engine.VerbStart)
	if err == nil || err.Error() == "" || engine.IsNotFound(err) || engine.IsUnreachable(err) {
		s.Errorf("start: %v", err)
	}
	r.sees(change, key, func(m containersv1.Mirror) bool {
		status := m.(*containersv1.Container).Status
		return status.Status == containersv1.ContainerCreated && status.Error != "" && status.ExitCode != 0
	})
}
