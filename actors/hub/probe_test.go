package hub

import (
	"testing"
	"time"
)

// Row H3: a machine returns within 15 s of the return of its hub, however long that was away.
func TestReturnIsBounded(t *testing.T) {
	for probe := 1; probe <= 20; probe++ {
		for range 50 {
			pause, after := probePause(probe), returnSpread(probe)
			if after < minSpread || pause+after > 15*time.Second {
				t.Fatalf("probe %d: a pause of %v, and then up to %v", probe, pause, after)
			}
		}
	}
}
