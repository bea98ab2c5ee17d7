package docker

import (
	"slices"
	"testing"
	"time"
)

// Row E3: a tag that moves from one image to another, and is removed before the other
// is read, shows in no reading.
func TestImageThatLostTagIsReadAgain(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := newImageIndex()
	x.update("a", imagesOf("a", "x:1"), at(1))
	if owner, lost := x.moved("x:1", "a", at(2)); lost {
		t.Errorf("%s lost its tag to itself", owner)
	}
	if owner, lost := x.moved("x:1", "b", at(3)); !lost || owner != "a" {
		t.Errorf("the loser is %q, want a", owner)
	}
	if _, lost := x.moved("y:1", "b", at(3)); lost {
		t.Error("a new tag has a loser")
	}
}

// Row E3: a list may be older than the event and arrive after it.
func TestReadingOlderThanTagMoveIsRepeated(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := newImageIndex()
	x.moved("x:1", "b", at(3))
	if change := x.update("a", imagesOf("a", "x:1"), at(2)); !slices.Equal(change.lostTags, []string{"a"}) {
		t.Errorf("read again: %v, want a", change.lostTags)
	}
	if change := x.update("a", imagesOf("a", "x:1"), at(4)); len(change.lostTags) != 0 {
		t.Errorf("read again and again: %v", change.lostTags)
	}
	x.pruneMoves(at(4))
	if len(x.tagMoves) != 0 {
		t.Error("a move is kept forever")
	}
}

// Row E3: an event that names the tag alone, as a pull's.
func TestOwnerOfPulledTagIsReadAgain(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := newImageIndex()
	x.update("a", imagesOf("a", "x:1"), at(1))
	if owner, lost := x.moved("x:1", "", at(2)); !lost || owner != "a" {
		t.Errorf("the loser is %q, want a", owner)
	}
	if change := x.update("b", imagesOf("b", "x:1"), at(1)); !slices.Contains(change.lostTags, "b") {
		t.Errorf("read again: %v, want b, which was read before", change.lostTags)
	}
	if change := x.update("c", imagesOf("c", "x:1"), at(3)); slices.Contains(change.lostTags, "c") {
		t.Errorf("read again: %v, though c was read since", change.lostTags)
	}
}

// An event that names no tag, as a load's, or none that names the image.
func TestListShowsWhichImagesDiffer(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	x := newImageIndex()
	x.update("loser", imagesOf("loser", "x:1", "x:2"), at(1))
	x.update("same", imagesOf("same", "y:1"), at(1))
	x.update("gone", imagesOf("gone"), at(1))
	x.update("younger", imagesOf("younger", "z:1"), at(3))
	list := []Listed{
		{ID: "loser", Tags: []string{"x:2"}}, {ID: "same", Tags: []string{"y:1"}}, {ID: "new", Tags: []string{"x:1"}},
	}
	if got := x.differing(list); !slices.Equal(got, []string{"loser", "new"}) {
		t.Errorf("to be read: %v, want loser and new", got)
	}
	if got := x.missing(byID(list), at(2)); !slices.Equal(got, []string{"gone"}) {
		t.Errorf("not listed: %v, want gone", got)
	}
}
