package enginetest

import (
	"context"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

const (
	// reportTimeout is how long a watch may take to report a change. It is shorter than
	// the pause before the second full sync, which would hide a change that is missed.
	reportTimeout = 8 * time.Second
	// callTimeout bounds one call of the engine.
	callTimeout = 30 * time.Second
)

// Subject is an engine under test. It has its predefined networks and no other object.
type Subject struct {
	Fixture
	// Dial returns a new connection to the engine.
	Dial func() engine.Engine
}

// Run runs the suite. It calls newSubject for each rule, with the test of that rule.
func Run(t *testing.T, newSubject func(*testing.T) Subject) {
	t.Helper()
	for _, group := range groups() {
		t.Run(group.name, func(t *testing.T) {
			for _, rule := range group.rules {
				t.Run(rule.name, func(t *testing.T) {
					s := &scene{T: t, Subject: newSubject(t)}
					s.engine = s.dial()
					rule.check(s)
				})
			}
		})
	}
}

type group struct {
	name  string
	rules []rule
}

// rule is what one subtest checks.
type rule struct {
	name  string
	check func(*scene)
}

func groups() []group {
	return []group{
		{"Watch", watchRules()},
		{"ContainerChange", containerChanges()},
		{"Health", healthRules()},
		{"ImageChange", imageChanges()},
		{"VolumeChange", volumeChanges()},
		{"NetworkChange", networkChanges()},
		{"Get", getRules()},
		{"Start", startRules()},
		{"Stop", stopRules()},
		{"Pause", pauseRules()},
		{"Kill", killRules()},
		{"Restart", restartRules()},
		{"Remove", removeRules()},
		{"Create", createRules()},
		{"Log", logRules()},
		{"Exec", execRules()},
		{"Attach", attachRules()},
		{"Stats", statsRules()},
		{"Transfer", transferRules()},
		{"Prune", pruneRules()},
		{"Connection", connectionRules()},
	}
}

// scene is one engine and the test of one rule.
type scene struct {
	*testing.T
	Subject

	engine engine.Engine
}

// dial returns a connection that is closed after the test.
func (s *scene) dial() engine.Engine {
	s.Helper()
	e := s.Dial()
	s.Cleanup(func() { _ = e.Close() })
	return e
}

func (s *scene) do(key engine.Key, verb engine.Verb) error {
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	return s.engine.Do(ctx, key, verb)
}

// mustDo applies a verb and fails the test when that fails.
func (s *scene) mustDo(key engine.Key, verb engine.Verb) {
	s.Helper()
	if err := s.do(key, verb); err != nil {
		s.Fatalf("%s %s %s: %v", verb, key.Kind, key.ID, err)
	}
}

func (s *scene) get(key engine.Key) (containersv1.Mirror, error) {
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	return s.engine.Get(ctx, key)
}

// isMissing fails the test unless the engine says that it does not have the object.
func (s *scene) isMissing(key engine.Key) {
	s.Helper()
	if m, err := s.get(key); !engine.IsNotFound(err) || engine.IsConflict(err) || engine.IsUnreachable(err) {
		s.Errorf("get %s %s %s: %v, %v, want not found", key.Kind, key.ID, key.Tag, m, err)
	}
}

// exists returns the mirror of an object, and fails the test when it is missing.
func (s *scene) exists(key engine.Key) containersv1.Mirror {
	s.Helper()
	m, err := s.get(key)
	if err != nil {
		s.Fatalf("get %s %s %s: %v", key.Kind, key.ID, key.Tag, err)
	}
	return m
}

// state returns the state of a container.
func (s *scene) state(key engine.Key) containersv1.ContainerState {
	s.Helper()
	return s.exists(key).(*containersv1.Container).Status.Status
}

// tag of the image of most containers.
const appTag = "app:1"

// container creates a container of a new image.
func (s *scene) container(spec Container) engine.Key {
	s.Helper()
	if spec.Image == "" {
		spec.Image = appTag
		s.ImportImage(appTag)
	}
	if spec.Name == "" {
		spec.Name = "web"
	}
	return containerKey(s.CreateContainer(spec))
}

// running creates a container of a new image and starts it.
func (s *scene) running(spec Container) engine.Key {
	s.Helper()
	key := s.container(spec)
	s.StartContainer(key.ID)
	return key
}

func (s *scene) volume(name string) engine.Key {
	s.Helper()
	s.CreateVolume(name)
	return volumeKey(name)
}

// onlyVolume returns the key of the only volume of the engine.
func (s *scene) onlyVolume() engine.Key {
	s.Helper()
	var keys []engine.Key
	for _, m := range s.watch().mirrors() {
		if m.MirrorKind() == containersv1.KindVolume {
			keys = append(keys, engine.KeyOf(m))
		}
	}
	if len(keys) != 1 {
		s.Fatalf("volumes %v, want one", keys)
	}
	return keys[0]
}

func (s *scene) network(name string) engine.Key {
	s.Helper()
	return engine.Key{Kind: containersv1.KindNetwork, ID: s.CreateNetwork(name)}
}

func containerKey(id string) engine.Key {
	return engine.Key{Kind: containersv1.KindContainer, ID: id}
}

func imageKey(id, tag string) engine.Key {
	return engine.Key{Kind: containersv1.KindImage, ID: id, Tag: tag}
}

func volumeKey(name string) engine.Key {
	return engine.Key{Kind: containersv1.KindVolume, ID: name}
}

func namespaceKey() engine.Key {
	return engine.Key{Kind: containersv1.KindContainerNamespace, ID: containersv1.MobyNamespace}
}
