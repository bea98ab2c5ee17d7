package memory_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/moby/moby/api/types/events"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/enginetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

func TestEngine(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) enginetest.Subject {
		t.Parallel()
		f := &fixture{t: t, engine: memory.New("test"), crashes: map[string]bool{}}
		return enginetest.Subject{Fixture: f, Dial: f.engine.Dial}
	})
}

// fixture prepares an engine in memory.
type fixture struct {
	t       *testing.T
	engine  *memory.Engine
	crashes map[string]bool
	// images and registries are how many were made.
	images, registries int
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) CreateContainer(c enginetest.Container) string {
	spec := memory.ContainerSpec{
		Name: c.Name, Image: c.Image, Network: c.Network, Volumes: c.Volumes, StopDelay: c.StopDelay, AutoRemove: c.AutoRemove,
		Labels: c.Labels, TTY: c.TTY, OpenStdin: c.OpenStdin,
	}
	if c.Script != "" {
		spec.Command, spec.Runs = []string{"/bin/busybox", "sh", "-c", c.Script}, true
	}
	if c.Probed {
		spec.HealthRetries = enginetest.HealthRetries
	}
	if spec.Network == "" {
		spec.Network = "none"
	}
	if c.Crashes {
		spec.RestartPolicy.Name = "always"
	}
	if c.FailsToStart {
		spec.StartError = "exec: no such file"
	}
	id, err := f.engine.CreateContainer(spec)
	f.check(err)
	f.crashes[id] = c.Crashes
	return id
}

func (f *fixture) StartContainer(id string) {
	f.check(f.engine.StartContainer(id))
	if f.crashes[id] {
		f.check(f.engine.Crash(id, 1))
	}
}

func (f *fixture) StopContainer(id string)         { f.check(f.engine.StopContainer(f.t.Context(), id)) }
func (f *fixture) KillContainer(id string)         { f.check(f.engine.KillContainer(id)) }
func (f *fixture) PauseContainer(id string)        { f.check(f.engine.PauseContainer(id)) }
func (f *fixture) UnpauseContainer(id string)      { f.check(f.engine.UnpauseContainer(id)) }
func (f *fixture) RenameContainer(id, name string) { f.check(f.engine.RenameContainer(id, name)) }
func (f *fixture) RemoveContainer(id string)       { f.check(f.engine.RemoveContainer(id, true)) }

func (f *fixture) SetHealth(id string, healthy bool, output string) {
	exitCode := 1
	if healthy {
		exitCode = 0
	}
	for range enginetest.HealthRetries {
		f.check(f.engine.Probe(id, exitCode, output))
	}
}

func (f *fixture) CommitContainer(id string) string {
	image, err := f.engine.CommitContainer(id, "")
	f.check(err)
	return image
}

func (f *fixture) StopSignals(id string) (n int) {
	s := f.engine.Subscribe(f.engine.Now().AddDate(0, 0, -1), f.engine.Now(), nil)
	defer s.Close()
	sent, _ := s.Take()
	for _, m := range sent {
		if m.Actor.ID == id && m.Action == events.ActionKill && m.Actor.Attributes["signal"] == "15" {
			n++
		}
	}
	return n
}

// ImportImage gives each image the label n, as the fixture of a real engine does.
func (f *fixture) ImportImage(tags ...string) string {
	f.images++
	return f.engine.AddImageSpec(memory.ImageSpec{Tags: tags, Labels: map[string]string{"n": strconv.Itoa(f.images)}})
}

func (f *fixture) ImportLargeImage(tag string, size int) string {
	return f.engine.AddImageSpec(memory.ImageSpec{Tags: []string{tag}, Size: int64(size)})
}

func (f *fixture) MakeBuildCache() {
	first := f.engine.AddBuildCache(memory.BuildCacheSpec{Description: "COPY one /one", Size: 10})
	f.engine.AddBuildCache(memory.BuildCacheSpec{Description: "COPY two /two", Size: 10, Parent: first})
}

func (f *fixture) StartRegistry(spec enginetest.Registry) string {
	host := fmt.Sprintf("127.0.0.1:%d", 5000+f.registries)
	f.registries++
	f.engine.AddRegistry(host, memoryRegistry(spec))
	return host
}

func memoryRegistry(spec enginetest.Registry) memory.RegistrySpec {
	out := memory.RegistrySpec{Password: spec.Password, Hangs: spec.Hangs}
	if spec.Password != "" {
		out.Username = enginetest.RegistryUser
	}
	return out
}

// SaveImage returns the tag: an image in memory has no content.
func (f *fixture) SaveImage(tag string) []byte { return []byte(tag) }
func (f *fixture) LoadImage(archive []byte)    { f.engine.Load(string(archive)) }
func (f *fixture) TagImage(image, tag string)  { f.check(f.engine.Tag(image, tag)) }
func (f *fixture) RemoveImage(ref string)      { f.check(f.engine.RemoveImage(ref, false)) }
func (f *fixture) RemoveVolume(name string)    { f.check(f.engine.RemoveVolume(name, false)) }
func (f *fixture) PruneVolumes()               { f.engine.PruneVolumes() }
func (f *fixture) RemoveNetwork(id string)     { f.check(f.engine.RemoveNetwork(id)) }
func (f *fixture) PruneNetworks()              { f.engine.PruneNetworks() }

func (f *fixture) CreateVolume(name string) {
	_, err := f.engine.CreateVolume(memory.VolumeSpec{Name: name})
	f.check(err)
}

func (f *fixture) CreateNetwork(name string) string {
	n, err := f.engine.CreateNetwork(memory.NetworkSpec{Name: name})
	f.check(err)
	return n.ID
}

func (f *fixture) ImageID(tag string) string {
	image, err := f.engine.Image(tag)
	f.check(err)
	return image.ID
}

func (f *fixture) ConnectNetwork(network, id string) {
	f.check(f.engine.ConnectContainer(network, id, true))
}

func (f *fixture) DisconnectNetwork(network, id string) {
	f.check(f.engine.ConnectContainer(network, id, false))
}

func (f *fixture) StopEngine() {
	f.engine.SetDown(true)
	f.engine.Stop()
}

func (f *fixture) StartEngine() { f.engine.SetDown(false) }

// The simulation judges by Refusal what the engine would do.
func TestRefusalIsWhatDoReturns(t *testing.T) {
	e := memory.New("test")
	e.AddImage("app:1")
	e.AddImage("free:1")
	e.AddVolume("free")
	e.AddNetwork("free")
	e.AddNetwork("used")
	for name, spec := range map[string]memory.ContainerSpec{
		"created": {}, "failing": {StartError: "no"}, "running": {Volumes: []string{"used"}, Network: "used"},
		"paused": {}, "dead": {},
	} {
		spec.Name, spec.Image = name, "app:1"
		e.AddContainerSpec(spec)
	}
	fail, err := e.FailRemoval("dead")
	if err != nil {
		t.Fatal(err)
	}
	fail()
	for _, err := range []error{e.StartContainer("running"), e.StartContainer("paused"), e.PauseContainer("paused")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := 0
	for _, verb := range []engine.Verb{engine.VerbStop, engine.VerbStart, engine.VerbRemove} {
		for _, m := range e.Mirrors() {
			if key := engine.KeyOf(m); key.Kind == containersv1.KindContainer && verb != engine.VerbStart {
				continue // these would change what the others are refused for
			}
			want := e.Refusal(engine.KeyOf(m), verb)
			err := e.Dial().Do(t.Context(), engine.KeyOf(m), verb)
			if (err == nil) != (want == nil) || err != nil && err.Error() != want.Error() {
				t.Errorf("%s %s %s: Do returns %v, Refusal %v", verb, m.MirrorKind(), m.DisplayName(), err, want)
			}
			if err != nil {
				refused++
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}
