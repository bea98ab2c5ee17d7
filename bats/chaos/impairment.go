package main

import (
	"math/rand/v2"
	"time"
)

// impairment is what the link between daemon and engine does to its connections. The
// zero value does nothing.
type impairment struct {
	name string
	// cut closes every connection, and each new one.
	cut bool
	// absent removes the socket, too.
	absent bool
	// half closes the direction to the daemon of every connection.
	half bool
	// hold delays all data until the end of the impairment. With drop the
	// connections are closed then, and the data is lost.
	hold, drop bool
	// delay is added to every piece of data, and a random part of jitter.
	delay, jitter time.Duration
	// rate in bytes a second, 0 for no limit.
	rate int
	// slice is the size of the largest piece, 0 for no limit.
	slice int
	// limit is the number of bytes to the daemon that ends a connection, 0 for no limit.
	limit int
	// way is the impaired direction, both by default.
	way way
	// exempt is the share of connections that are not impaired, 0 to 1.
	exempt float64
	// linger delays the end of a connection on its other side.
	linger time.Duration
}

// way is a direction of data.
type way int

const (
	bothWays way = iota
	toDaemon
	toEngine
)

// applies reports whether data is impaired. rank is that of the connection, from 0 to
// 1; back is set for data to the daemon.
func (w impairment) applies(rank float64, back bool) bool {
	return rank >= w.exempt && (w.way == bothWays || (w.way == toDaemon) == back)
}

// drawImpairment draws one of the impairments that toxiproxy has, or a half-closed
// connection, with a direction and a share of exempt connections.
func drawImpairment(random *rand.Rand) impairment {
	all := []impairment{
		{name: "reset", cut: true},
		{name: "down", cut: true, absent: true},
		{name: "half-close", half: true},
		{name: "timeout", hold: true, drop: true},
		{name: "hang", hold: true},
		{name: "latency", delay: between(random, 20*time.Millisecond, 400*time.Millisecond), jitter: 200 * time.Millisecond},
		{name: "bandwidth", rate: 8<<10 + random.IntN(64<<10)},
		{name: "slicer", slice: 1 + random.IntN(64), delay: 100 * time.Microsecond},
		{name: "limit", limit: 50 + random.IntN(20_000)},
		{name: "slow-close", linger: between(random, 100*time.Millisecond, 2*time.Second), cut: random.IntN(2) == 0},
	}
	w := all[random.IntN(len(all))]
	w.way = way(random.IntN(3))
	if random.IntN(3) == 0 {
		w.exempt = random.Float64()
	}
	return w
}
