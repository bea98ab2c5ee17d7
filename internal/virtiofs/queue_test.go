//go:build linux

package virtiofs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log"
	"strings"
	"testing"
	"testing/synctest"
)

// ringOf returns a queue of ringSize entries, with descriptors at the start of its memory.
func ringOf(t *testing.T, handle handler, descriptors ...[]byte) *queue {
	t.Helper()
	data := make([]byte, memorySize)
	copy(data, bytes.Join(descriptors, nil))
	m := &memory{regions: []region{{guest: guestBase, data: data}}}
	return &queue{
		handle: handle, size: ringSize, memory: m, log: log.New(t.Output(), "", 0),
		ring: ring{desc: data[:ringSize*descSize], avail: make([]byte, 4+2*ringSize), used: make([]byte, 4+8*ringSize)},
	}
}

// buffer returns a descriptor of a buffer; the last one is not followed by another.
func buffer(size uint32, flags, next uint16) []byte {
	out := append(u64(guestBase), u32(size)...)
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(out, flags), next)
}

// A guest that makes more requests than the queue has entries cannot start them all, also
// if it makes them in several steps.
func TestDrainLimitsRequests(t *testing.T) {
	started, end := make(chan int, 1<<16), make(chan int)
	q := ringOf(t, func(_, _ [][]byte) int { started <- 1; <-end; return 0 }, buffer(64, 0, 0))
	for _, step := range []struct {
		sent uint16
		ok   bool
	}{{3, true}, {ringSize, true}, {ringSize + 1, false}, {1<<16 - 1, false}} {
		binary.LittleEndian.PutUint16(q.ring.avail[2:], step.sent)
		if err := q.drain(); (err == nil) != step.ok {
			t.Errorf("%d requests: %v", step.sent, err)
		}
	}
	close(end)
	q.inFlight.Wait()
	if len(started) != ringSize {
		t.Errorf("%d requests ran at once, on a queue of %d", len(started), ringSize)
	}
	binary.LittleEndian.PutUint16(q.ring.avail[2:], ringSize+2)
	if err := q.drain(); err != nil {
		t.Errorf("after the replies: %v", err)
	}
	q.inFlight.Wait()
}

// A request that hangs does not keep QEMU waiting.
func TestStopLeavesStuckRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan int)
		q := ringOf(t, func(_, _ [][]byte) int { <-end; return 0 }, buffer(64, 0, 0))
		binary.LittleEndian.PutUint16(q.ring.avail[2:], 1)
		if err := q.drain(); err != nil {
			t.Fatal(err)
		}
		if _, err := q.stop(); !errors.Is(err, errStuck) {
			t.Errorf("stop: %v", err)
		}
		close(end)
		if next, err := q.stop(); next != 1 || err != nil {
			t.Errorf("the next request is %d, %v", next, err)
		}
	})
}

func TestChainLimitsBuffers(t *testing.T) {
	const half = maxBuffers / 2
	for name, tc := range map[string]struct {
		chain [][]byte
		ok    bool
	}{
		"largest":           {[][]byte{buffer(half, descNext, 1), buffer(half, descNext, 2), buffer(maxBuffers, descWrite, 0)}, true},
		"request too large": {[][]byte{buffer(half, descNext, 1), buffer(half+1, 0, 0)}, false},
		"reply too large":   {[][]byte{buffer(64, descNext, 1), buffer(half, descNext|descWrite, 2), buffer(half+1, descWrite, 0)}, false},
		"one too large":     {[][]byte{buffer(memorySize, 0, 0)}, false},
	} {
		if _, _, err := ringOf(t, nil, tc.chain...).chain(0); (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDefectEndsOneRequest(t *testing.T) {
	q := ringOf(t, func(_, _ [][]byte) int { panic("out of range") }, buffer(64, 0, 0))
	for sent := range uint16(3) {
		binary.LittleEndian.PutUint16(q.ring.avail[2:], sent+1)
		if err := q.drain(); err != nil {
			t.Fatal(err)
		}
		q.inFlight.Wait()
	}
	if got := binary.LittleEndian.Uint16(q.ring.used[2:]); got != 3 {
		t.Errorf("the guest got %d of 3 replies", got)
	}
}

func TestLogIsLimited(t *testing.T) {
	var out bytes.Buffer
	log := newLog(&out)
	for range 20000 {
		log.Print(strings.Repeat("x", 100))
	}
	if out.Len() > maxLog+200 || out.Len() < maxLog-200 || strings.Count(out.String(), "the log is full") != 1 {
		t.Errorf("the log has %d bytes, of at most %d", out.Len(), maxLog)
	}
}
