package engine

import (
	"slices"
	"testing"
	"time"
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
