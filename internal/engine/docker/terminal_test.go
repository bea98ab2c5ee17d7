package docker

import (
	"testing"
	"time"
)

// A command that has just ended is inspected often, and one that continues without output once
// a second.
func TestPollPause(t *testing.T) {
	for waited, want := range map[time.Duration]time.Duration{
		0:                     time.Millisecond,
		8 * time.Millisecond:  time.Millisecond,
		40 * time.Millisecond: 5 * time.Millisecond,
		8 * time.Second:       time.Second,
		time.Hour:             time.Second,
	} {
		if got := pollPause(waited); got != want {
			t.Errorf("the pause after %v is %v, want %v", waited, got, want)
		}
	}
}
