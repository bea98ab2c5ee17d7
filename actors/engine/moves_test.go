package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// A tag that moves from one image to another, and is removed before the other
// is read, shows in no reading.
func TestE3TheImageThatLosesATagIsReadAgain(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := newImageIndex()
	x.update("a", imagesOf("a", "x:1"), at(1))
	if owner, robbed := x.moved("x:1", "a", at(2)); robbed {
		t.Errorf("%s lost its tag to itself", owner)
	}
	if owner, robbed := x.moved("x:1", "b", at(3)); !robbed || owner != "a" {
		t.Errorf("the loser is %q, want a", owner)
	}
	if _, robbed := x.moved("y:1", "b", at(3)); robbed {
		t.Error("a new tag has a loser")
	}
}

// A list may be older than the event, and be told of after it.
func TestE3AnOldReadingOfAMovedTagIsNotBelieved(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := newImageIndex()
	x.moved("x:1", "b", at(3))
	if change := x.update("a", imagesOf("a", "x:1"), at(2)); !slices.Equal(change.robbed, []string{"a"}) {
		t.Errorf("read again: %v, want a", change.robbed)
	}
	if change := x.update("a", imagesOf("a", "x:1"), at(4)); len(change.robbed) != 0 {
		t.Errorf("read again and again: %v", change.robbed)
	}
	x.settleMoves(at(4))
	if len(x.moves) != 0 {
		t.Error("a move is kept for ever")
	}
}

// An event that names the tag alone, as a pull's.
func TestE3WhoeverHasATagThatWasPulledIsReadAgain(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := newImageIndex()
	x.update("a", imagesOf("a", "x:1"), at(1))
	if owner, robbed := x.moved("x:1", "", at(2)); !robbed || owner != "a" {
		t.Errorf("the loser is %q, want a", owner)
	}
	if change := x.update("b", imagesOf("b", "x:1"), at(1)); !slices.Contains(change.robbed, "b") {
		t.Errorf("read again: %v, want b, which was read before", change.robbed)
	}
	if change := x.update("c", imagesOf("c", "x:1"), at(3)); slices.Contains(change.robbed, "c") {
		t.Errorf("read again: %v, though c was read since", change.robbed)
	}
}

// An event that names no tag, as a load's, or none that names the image.
func TestListShowsWhichImagesDiffer(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := newImageIndex()
	x.update("robbed", imagesOf("robbed", "x:1", "x:2"), at(1))
	x.update("same", imagesOf("same", "y:1"), at(1))
	x.update("gone", imagesOf("gone"), at(1))
	x.update("younger", imagesOf("younger", "z:1"), at(3))
	list := []docker.ListedImage{
		{ID: "robbed", Tags: []string{"x:2"}}, {ID: "same", Tags: []string{"y:1"}}, {ID: "new", Tags: []string{"x:1"}},
	}
	if got := x.differing(list); !slices.Equal(got, []string{"new", "robbed"}) {
		t.Errorf("to be read: %v, want new and robbed", got)
	}
	if got := x.missing(shownImages(list), at(2)); !slices.Equal(got, []string{"gone"}) {
		t.Errorf("not listed: %v, want gone", got)
	}
}
