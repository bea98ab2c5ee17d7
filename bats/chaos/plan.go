package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// action is the kind of a fault.
type action string

const (
	killDaemon action = "kill rdd"       // SIGKILL, and a new start after the gap
	killTwice  action = "kill rdd twice" // the second one while it starts
	// killPending kills while no request reaches the engine, so that the next daemon
	// finds the desired states in the datastore alone.
	killPending action = "kill rdd with pending states"
	fullDisk    action = "full disk"    // no space for the daemon, for the time it lasts
	termEngine  action = "term dockerd" // SIGTERM, and a new start after the gap
	killEngine  action = "kill dockerd" // SIGKILL, and a new start after the gap
	stopEngine  action = "stop dockerd" // SIGSTOP, and SIGCONT after the time it lasts
	burst       action = "burst"        // more events than the engine buffers for a listener
	badLink     action = "link"         // impairment on the socket between daemon and engine
)

// fault is one fault of a plan.
type fault struct {
	action action
	// after is the time from the end of the previous fault of the lane.
	after time.Duration
	// lasts is the duration of a stopped engine, an impairment or a full disk.
	lasts time.Duration
	// gap is the time between the end of a process and its next start.
	gap time.Duration
	// second is the time after which a starting daemon is killed again.
	second     time.Duration
	impairment impairment
}

func (f fault) String() string {
	switch f.action {
	case stopEngine, fullDisk:
		return fmt.Sprintf("%s %.1fs", f.action, f.lasts.Seconds())
	case badLink:
		return fmt.Sprintf("%s %s %.1fs", f.action, f.impairment.name, f.lasts.Seconds())
	case killDaemon, killTwice, killPending, termEngine, killEngine, burst:
	}
	return string(f.action)
}

// round is the plan of one round. Lanes run concurrently, and the faults of a lane
// one after the other.
type round struct {
	number int
	lasts  time.Duration
	lanes  [][]fault
	// workers and users are the seeds of those.
	workers, users []uint64
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

// Numbers of workers, which change the engine, and of users, which change the API.
const (
	workers = 4
	users   = 2
)

// draw plans a round. The plan depends on seed and number alone, so that one round of
// a run can be repeated.
func draw(seed uint64, number int, long bool) round {
	random := rand.New(rand.NewPCG(seed, uint64(number)))
	r := round{number: number, lasts: between(random, 3*time.Second, 6*time.Second)}
	for len(r.lanes) == 0 {
		for _, lane := range []struct {
			chance float64
			draw   func() []fault
		}{
			{0.7, func() []fault { return []fault{drawDaemon(random)} }},
			{0.6, func() []fault { return []fault{drawEngine(random, long)} }},
			{0.7, func() []fault { return drawLink(random) }},
			{0.35, func() []fault { return []fault{{action: burst, after: between(random, 0, time.Second)}} }},
		} {
			if random.Float64() < lane.chance {
				r.lanes = append(r.lanes, lane.draw())
			}
		}
	}
	for range workers {
		r.workers = append(r.workers, random.Uint64())
	}
	for range users {
		r.users = append(r.users, random.Uint64())
	}
	return r
}

func drawDaemon(random *rand.Rand) fault {
	f := fault{action: killDaemon, after: between(random, 0, 3*time.Second), gap: between(random, 0, 800*time.Millisecond)}
	switch random.IntN(5) {
	case 0:
		f.action, f.lasts = killPending, between(random, 500*time.Millisecond, 1500*time.Millisecond)
	case 1:
		f.action, f.second = killTwice, between(random, 50*time.Millisecond, 1500*time.Millisecond)
	case 2:
		f.action, f.lasts = fullDisk, between(random, 200*time.Millisecond, 2*time.Second)
	}
	return f
}

func drawEngine(random *rand.Rand, long bool) fault {
	f := fault{after: between(random, 0, 2*time.Second), gap: between(random, 0, 2*time.Second)}
	if long {
		f.action, f.lasts = stopEngine, between(random, 5*time.Second, time.Minute)
		return f
	}
	f.action = []action{termEngine, killEngine, stopEngine}[random.IntN(3)]
	// Mostly short, so that a round is short.
	u := random.Float64()
	f.lasts = time.Duration((2 + 18*u*u*u) * float64(time.Second))
	return f
}

func drawLink(random *rand.Rand) []fault {
	var lane []fault
	for range 1 + random.IntN(2) {
		lane = append(lane, fault{
			action: badLink, after: between(random, 0, 1500*time.Millisecond),
			lasts: between(random, 300*time.Millisecond, 3*time.Second), impairment: drawImpairment(random),
		})
	}
	return lane
}

// between draws a time of at least least, and less than most.
func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}
