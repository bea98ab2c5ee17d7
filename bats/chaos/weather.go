package main

import (
	"math/rand/v2"
	"time"
)

// weather is what the link between daemon and engine does to what goes over it.
// The zero value is fine weather.
type weather struct {
	name string
	// cut ends every connection, also each new one.
	cut bool
	// absent takes the socket itself away too.
	absent bool
	// half ends the way to the daemon of every connection, and leaves the other
	// way open.
	half bool
	// hold lets nothing pass. What was held passes later, unless drop is set:
	// then the connections end with the weather.
	hold, drop bool
	// delay of every piece of data, in each direction, and what is added to it
	// at most by chance.
	delay, jitter time.Duration
	// rate in bytes a second, 0 for no limit.
	rate int
	// slice is the size of the largest piece, 0 for no limit.
	slice int
	// limit ends a connection after so many bytes to the daemon, 0 for never.
	limit int
	// way is the direction in which data is held up, both by default.
	way way
	// spared is the share of connections that the weather does not touch, 0 to 1.
	spared float64
	// linger is how much later the other side hears that a connection has ended.
	linger time.Duration
}

// way is a direction of data.
type way int

const (
	bothWays way = iota
	toDaemon
	toEngine
)

// holdsUp is whether data of a call is touched: its luck is from 0 to 1, and back
// says that it goes to the daemon.
func (w weather) holdsUp(luck float64, back bool) bool {
	return luck >= w.spared && (w.way == bothWays || (w.way == toDaemon) == back)
}

// drawWeather draws one of the ways in which a connection can be bad: those that
// toxiproxy knows, with its directions and its share of connections that stay
// as they are, and a half-closed one.
func drawWeather(dice *rand.Rand) weather {
	all := []weather{
		{name: "reset", cut: true},
		{name: "down", cut: true, absent: true},
		{name: "half-close", half: true},
		{name: "timeout", hold: true, drop: true},
		{name: "hang", hold: true},
		{name: "latency", delay: between(dice, 20*time.Millisecond, 400*time.Millisecond), jitter: 200 * time.Millisecond},
		{name: "bandwidth", rate: 8<<10 + dice.IntN(64<<10)},
		{name: "slicer", slice: 1 + dice.IntN(64), delay: 100 * time.Microsecond},
		{name: "limit", limit: 50 + dice.IntN(20_000)},
		{name: "slow-close", linger: between(dice, 100*time.Millisecond, 2*time.Second), cut: dice.IntN(2) == 0},
	}
	w := all[dice.IntN(len(all))]
	w.way = way(dice.IntN(3))
	if dice.IntN(3) == 0 {
		w.spared = dice.Float64()
	}
	return w
}
