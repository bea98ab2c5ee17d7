package reclaim

import (
	"slices"
	"testing"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// TestNextActionFollowsReadings has sequences of readings, each with the action that
// follows from its last reading. No other reading may have one.
func TestNextActionFollowsReadings(t *testing.T) {
	disk := func(free ...int64) (all []reading) {
		for _, f := range free {
			all = append(all, reading{free: f * mib})
		}
		return all
	}
	cache := func(sizes ...int64) (all []reading) {
		for _, size := range sizes {
			all = append(all, reading{reportsMemory: true, cache: size * mib})
		}
		return all
	}
	unreported := cache(500, 500, 500, 500, 500)
	for i := range unreported {
		unreported[i].reportsMemory = false
	}
	for name, c := range map[string]struct {
		readings []reading
		want     action
	}{
		"first reading":              {disk(5000), actionNone},
		"nothing freed":              {disk(5000, 5000, 5000), actionNone},
		"little freed":               {disk(5000, 5050, 5050, 5050), actionNone},
		"disk in use":                {disk(5000, 3000, 3000), actionNone},
		"freed just now":             {disk(5000, 5100), actionNone},
		"freed and settled":          {disk(5000, 5100, 5100), actionTrim},
		"what was used is freed":     {disk(5000, 3000, 3000, 5000, 5000), actionTrim},
		"freed bit by bit":           {disk(5000, 5007, 5014, 5021, 5028, 5035, 5042, 5049, 5056, 5063, 5070), actionTrim},
		"freed and used again":       {disk(5000, 5100, 5000, 5000), actionNone},
		"never settled":              {disk(5000, 5100, 5200, 5300, 5400, 5500, 5600, 5700), actionTrim},
		"much stable cache":          {cache(500, 500, 501, 499), actionDrop},
		"cache of a short time":      {cache(500, 500, 500), actionNone},
		"little cache":               {cache(90, 90, 90, 90, 90), actionNone},
		"cache that is being filled": {cache(500, 510, 520, 530, 540, 550), actionNone},
		"filled for a while":         {cache(500, 600, 700, 700, 700, 700), actionDrop},
		"interrupted by work":        {cache(500, 500, 500, 520, 520, 520), actionNone},
		"memory is not reported":     {unreported, actionNone},
	} {
		h := history{hasTrimmed: true}
		for i, r := range c.readings {
			want := actionNone
			if i == len(c.readings)-1 {
				want = c.want
			}
			if got := h.next(r); got != want {
				t.Errorf("%s: reading %d: action %q, want %q", name, i, got, want)
			}
		}
	}
}

func TestTrimIsNotRepeated(t *testing.T) {
	h := history{hasTrimmed: true}
	var actions []action
	for _, free := range []int64{3 * gib, 5 * gib, 5 * gib, 5 * gib, 5*gib + 10*mib, 5*gib + 10*mib, 6 * gib, 6 * gib, 6 * gib} {
		actions = append(actions, h.next(reading{free: free}))
	}
	want := []action{"", "", actionTrim, "", "", "", "", actionTrim, ""}
	if !slices.Equal(actions, want) {
		t.Errorf("actions %q, want %q", actions, want)
	}
}

// Cache that a drop leaves, such as that of a program that runs, is not dropped again.
// Each drop makes the next one need more readings.
func TestDropsBecomeRarer(t *testing.T) {
	var drops []int
	h := history{hasTrimmed: true}
	for i, size := range slices.Concat(
		[]int64{400, 400, 400, 400, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200}, // one drop
		[]int64{296, 296, 296, 296, 296, 296, 296, 100, 100, 100},                     // after six stable ones
		[]int64{500, 500, 500, 500, 500, 500, 500, 500, 500, 500, 100},                // after nine
	) {
		if h.next(reading{reportsMemory: true, cache: size * mib}) == actionDrop {
			drops = append(drops, i)
		}
	}
	if want := []int{3, 20, 33}; !slices.Equal(drops, want) {
		t.Errorf("drops at readings %d, want %d", drops, want)
	}
	for range forget {
		h.next(reading{reportsMemory: true, cache: 100 * mib})
	}
	for i := range 4 {
		if got := h.next(reading{reportsMemory: true, cache: 500 * mib}); (got == actionDrop) != (i == 3) {
			t.Errorf("after a long pause, reading %d: action %q", i, got)
		}
	}
}

// Space may have been freed before the first reading.
func TestQuietGuestIsTrimmedOnce(t *testing.T) {
	var h history
	var actions []action
	for _, size := range []int64{50, 70, 70, 70, 70, 70, 70} {
		actions = append(actions, h.next(reading{cache: size * mib, free: gib}))
	}
	want := []action{"", "", "", "", actionTrim, "", ""}
	if !slices.Equal(actions, want) {
		t.Errorf("actions %q, want %q", actions, want)
	}
}
