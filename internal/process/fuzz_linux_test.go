package process

import (
	"fmt"
	"testing"
)

// Processes choose their names; no name may change the parent or the start time that
// is parsed.
func FuzzStat(f *testing.F) {
	f.Add("rdd", "S", 1, uint64(100), []byte("1 (a) S"))
	f.Add("a) S 1 (b", "Z", 7, uint64(0), []byte(")"))
	f.Add(") R 1\n", "X", -1, uint64(1)<<63, []byte(""))
	f.Fuzz(func(t *testing.T, name, state string, parent int, start uint64, odd []byte) {
		_, _ = parseStat(1, odd)
		if len(state) != 1 || state[0] <= ' ' || state[0] >= 0x7f || state == ")" {
			return // the kernel's states are letters
		}
		stat := fmt.Sprintf("42 (%s) %s %d 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", name, state, parent, start)
		got, alive := parseStat(42, []byte(stat))
		if want := state != "Z" && state != "X"; alive != want {
			t.Fatalf("%q: alive %v, want %v", stat, alive, want)
		}
		if want := (Process{PID: 42, Parent: parent, Start: start}); alive && got != want {
			t.Fatalf("%q: %+v, want %+v", stat, got, want)
		}
	})
}
