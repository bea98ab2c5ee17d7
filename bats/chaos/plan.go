package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// deed is what a fault does.
type deed string

const (
	killDaemon deed = "kill rdd"       // SIGKILL, and a new start after the gap
	killTwice  deed = "kill rdd twice" // the second one while it starts
	// killPending kills while no wish gets through to the engine, so that the next
	// daemon has to find them in the datastore alone.
	killPending deed = "kill rdd with wishes pending"
	termEngine  deed = "term dockerd" // SIGTERM, and a new start after the gap
	killEngine  deed = "kill dockerd" // SIGKILL, and a new start after the gap
	stopEngine  deed = "stop dockerd" // SIGSTOP, and SIGCONT after the time it lasts
	burst       deed = "burst"        // more events than the engine buffers for a listener
	badLink     deed = "link"         // weather on the socket between daemon and engine
)

// fault is one thing that goes wrong.
type fault struct {
	deed deed
	// after is when it begins, from the end of the fault before it in its lane.
	after time.Duration
	// lasts is how long an engine is stopped, or the weather bad.
	lasts time.Duration
	// gap is between the end of a process and its next start.
	gap time.Duration
	// second is when a daemon that starts is killed again.
	second  time.Duration
	weather weather
}

func (f fault) String() string {
	switch f.deed {
	case stopEngine:
		return fmt.Sprintf("%s %.1fs", f.deed, f.lasts.Seconds())
	case badLink:
		return fmt.Sprintf("%s %s %.1fs", f.deed, f.weather.name, f.lasts.Seconds())
	case killDaemon, killTwice, killPending, termEngine, killEngine, burst:
	}
	return string(f.deed)
}

// round is what happens in one round. Lanes run beside each other; faults in a
// lane one after the other.
type round struct {
	number int
	lasts  time.Duration
	lanes  [][]fault
	// workers are the seeds of those who change the engine, and wishers of those
	// who change the API.
	workers, wishers []uint64
}

func (r round) String() string {
	var names []string
	for _, lane := range r.lanes {
		for _, f := range lane {
			names = append(names, f.String())
		}
	}
	return strings.Join(names, ", ")
}

// How many change the engine, and how many the API, at the same time.
const (
	workers = 4
	wishers = 2
)

// draw plans a round. It depends on the seed and the number alone, so that one
// round of a run can be looked at again.
func draw(seed uint64, number int, long bool) round {
	dice := rand.New(rand.NewPCG(seed, uint64(number)))
	r := round{number: number, lasts: between(dice, 3*time.Second, 6*time.Second)}
	for len(r.lanes) == 0 {
		for _, lane := range []struct {
			chance float64
			draw   func() []fault
		}{
			{0.7, func() []fault { return []fault{drawDaemon(dice)} }},
			{0.6, func() []fault { return []fault{drawEngine(dice, long)} }},
			{0.7, func() []fault { return drawLink(dice) }},
			{0.35, func() []fault { return []fault{{deed: burst, after: between(dice, 0, time.Second)}} }},
		} {
			if dice.Float64() < lane.chance {
				r.lanes = append(r.lanes, lane.draw())
			}
		}
	}
	for range workers {
		r.workers = append(r.workers, dice.Uint64())
	}
	for range wishers {
		r.wishers = append(r.wishers, dice.Uint64())
	}
	return r
}

func drawDaemon(dice *rand.Rand) fault {
	f := fault{deed: killDaemon, after: between(dice, 0, 3*time.Second), gap: between(dice, 0, 800*time.Millisecond)}
	switch dice.IntN(4) {
	case 0:
		f.deed, f.lasts = killPending, between(dice, 500*time.Millisecond, 1500*time.Millisecond)
	case 1:
		f.deed, f.second = killTwice, between(dice, 50*time.Millisecond, 1500*time.Millisecond)
	}
	return f
}

func drawEngine(dice *rand.Rand, long bool) fault {
	f := fault{after: between(dice, 0, 2*time.Second), gap: between(dice, 0, 2*time.Second)}
	if long {
		f.deed, f.lasts = stopEngine, between(dice, 5*time.Second, time.Minute)
		return f
	}
	f.deed = []deed{termEngine, killEngine, stopEngine}[dice.IntN(3)]
	// Mostly short, so that there is time for many.
	u := dice.Float64()
	f.lasts = time.Duration((2 + 18*u*u*u) * float64(time.Second))
	return f
}

func drawLink(dice *rand.Rand) []fault {
	var lane []fault
	for range 1 + dice.IntN(2) {
		lane = append(lane, fault{
			deed: badLink, after: between(dice, 0, 1500*time.Millisecond),
			lasts: between(dice, 300*time.Millisecond, 3*time.Second), weather: drawWeather(dice),
		})
	}
	return lane
}

// between draws a time from at least one to less than the other.
func between(dice *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(dice.Int64N(int64(most-least)))
}
