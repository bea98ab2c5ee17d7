package supervisor

import (
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
)

// The engine tells of the image that got a tag, and not of the one that lost it.
// When the tag is removed before the former is read, only the event has said it.
func TestE3ATagThatMovesAndGoesAtOnceLeavesNoGhost(t *testing.T) {
	sim := dockersim.Start(t)
	first, second := sim.AddImage("app:one", "app:two"), sim.AddImage("app:three")
	r := start(t, testInstance(t))
	r.connect(sim)
	r.exact(sim)
	sim.SetLatency(300 * time.Millisecond)
	if err := sim.Tag(second, "app:two"); err != nil {
		t.Fatal(err)
	}
	if err := sim.RemoveImage("app:two", false); err != nil {
		t.Fatal(err)
	}
	sim.SetLatency(0)
	r.exact(sim)
	if got := sim.ImageTags(first); len(got) != 1 {
		t.Fatalf("the first image has %v", got)
	}
}
