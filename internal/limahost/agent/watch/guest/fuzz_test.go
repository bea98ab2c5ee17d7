package guest

import (
	"testing"
	"time"
)

// FuzzParseBeat generates lines of a guest. The guest may be of any image, so that no line
// may result in impossible values.
func FuzzParseBeat(f *testing.F) {
	f.Add("rdd-beat 8ae40b5a-7a4b-4b0e-8f3c-4b2f3a7e0c11 12.34 4096 1000 500")
	f.Add("rdd-beat b NaN 0 0 0")
	f.Add("rdd-beat b 1e300 9223372036854775807 2 -1")
	f.Fuzz(func(t *testing.T, line string) {
		now := time.Unix(1, 0)
		beat, ok := parseBeat(line, now)
		if !ok {
			return
		}
		if beat.BootID == "" || !beat.At.Equal(now) || beat.Uptime < 0 || beat.DiskSize < 0 || beat.DiskFree < 0 || beat.DiskFree > beat.DiskSize {
			t.Fatalf("%q: %+v", line, beat)
		}
	})
}
