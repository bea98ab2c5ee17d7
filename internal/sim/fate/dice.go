package fate

import (
	"hash/fnv"
	"sync"
	"time"
)

// Fates draws all decisions of one run. It is safe for concurrent use.
type Fates struct {
	seed uint64

	mu     sync.Mutex
	drawn  map[string]uint64
	booked map[int64]struct{}
}

// New returns the fates of a seed.
func New(seed uint64) *Fates {
	return &Fates{seed: seed, drawn: map[string]uint64{}, booked: map[int64]struct{}{}}
}

// Draw returns the dice for the next decision of a caller that is named by who.
func (f *Fates) Draw(who string) *Dice {
	f.mu.Lock()
	nth := f.drawn[who]
	f.drawn[who] = nth + 1
	f.mu.Unlock()
	h := fnv.New64a()
	_, _ = h.Write([]byte(who))
	return &Dice{state: mix(mix(f.seed) ^ mix(h.Sum64()) ^ mix(nth+1))}
}

// Dice are a sequence of random numbers for one decision. They are not safe for
// concurrent use.
type Dice struct{ state uint64 }

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (d *Dice) next() uint64 {
	d.state = mix(d.state)
	return d.state
}

// N returns a number from 0 to n-1; n is greater than zero.
func (d *Dice) N(n int) int { return int(d.next() % uint64(n)) }

// Chance returns true with probability p, from 0 to 1.
func (d *Dice) Chance(p float64) bool { return float64(d.next()>>11)/(1<<53) < p }

// Between returns a duration from least to most.
func (d *Dice) Between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.next()%uint64(most-least+1))
}

// Pick returns one of the values, of which there is at least one.
func Pick[T any](d *Dice, values []T) T { return values[d.N(len(values))] }
