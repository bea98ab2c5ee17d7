package supervisor

import (
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// Row E3. An event names the image that got a tag, and not the one that lost it. When the tag
// is removed before the new image is read, only the event has reported the move. The
// event of a pull names the tag and not the image, that of a load the image and not its
// tags.
func TestMovedAndRemovedTagLeavesNoMirror(t *testing.T) {
	sim := dockersim.Start(t)
	r := start(t, instancetest.At(t, "test"))
	r.connect(sim)
	for name, move := range map[string]func(tag string) error{
		"tag":  func(tag string) error { return sim.Tag(sim.AddImage("app:new"), tag) },
		"pull": func(tag string) error { sim.Pull(tag); return nil },
		"load": func(tag string) error { sim.Load(tag, "app:other"); return nil },
	} {
		tag := name + ":moves"
		first := sim.AddImage(name+":stays", tag)
		r.exact(sim)
		sim.SetLatency(300 * time.Millisecond)
		if err := move(tag); err != nil {
			t.Fatal(err)
		}
		if err := sim.RemoveImage(tag, false); err != nil {
			t.Fatal(err)
		}
		sim.SetLatency(0)
		r.exact(sim)
		if got := sim.ImageTags(first); len(got) != 1 {
			t.Fatalf("%s: the first image has %v", name, got)
		}
	}
}
