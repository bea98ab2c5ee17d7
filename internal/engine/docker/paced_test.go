package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pieceReader returns one piece for each read, or all that have arrived: one at each of
// the times.
type pieceReader struct {
	begin time.Time
	times []time.Duration
	size  int
	reads []time.Duration
}

// Read implements io.Reader. It waits for the next piece, and returns all that are there.
func (r *pieceReader) Read(p []byte) (int, error) {
	if len(r.times) == 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Until(r.begin.Add(r.times[0])))
	n := 0
	for len(r.times) > 0 && n+r.size <= len(p) && time.Since(r.begin) >= r.times[0] {
		n, r.times = n+r.size, r.times[1:]
	}
	r.reads = append(r.reads, time.Since(r.begin))
	return n, nil
}

// Close implements io.Closer.
func (r *pieceReader) Close() error { return nil }

// every returns the times of a number of pieces.
func every(interval time.Duration, pieces int) []time.Duration {
	all := make([]time.Duration, pieces)
	for i := range all {
		all[i] = time.Duration(i) * interval
	}
	return all
}

// TestPacedReadsOfFrequentPieces covers the number of reads of a body, and how long a
// piece waits for its read.
func TestPacedReadsOfFrequentPieces(t *testing.T) {
	const interval = 10 * time.Millisecond
	for name, c := range map[string]struct {
		times    []time.Duration
		size     int
		maxReads int
		maxWait  time.Duration
	}{
		"one piece":                        {times: every(interval, 1), size: 100, maxReads: 1},
		"pieces that are rare":             {times: every(3*interval, 50), size: 100, maxReads: 50},
		"pieces that are frequent":         {times: every(interval/10, 1000), size: 100, maxReads: 105, maxWait: interval},
		"pieces of which one fills a read": {times: every(interval/10, 1000), size: shortRead, maxReads: 1000},
		"many pieces at the same time":     {times: make([]time.Duration, 1000), size: 100, maxReads: 30, maxWait: interval},
		"pairs of pieces that are rare":    {times: []time.Duration{0, time.Millisecond, time.Second, time.Second + time.Millisecond}, size: 100, maxReads: 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pieces := &pieceReader{begin: time.Now(), times: c.times, size: c.size}
				resp := &http.Response{StatusCode: http.StatusOK, Body: pieces}
				pace(paced(t.Context(), interval), resp)
				buffer, total := make([]byte, 4<<10), 0
				var wait time.Duration
				for {
					left := c.times[total/c.size:]
					n, err := resp.Body.Read(buffer)
					if errors.Is(err, io.EOF) {
						break
					}
					total += n
					wait = max(wait, time.Since(pieces.begin)-left[0])
				}
				if total != len(c.times)*c.size {
					t.Errorf("%d bytes, want %d", total, len(c.times)*c.size)
				}
				if len(pieces.reads) > c.maxReads || wait > c.maxWait {
					t.Errorf("%d reads, want at most %d; a piece waited %v, want at most %v", len(pieces.reads), c.maxReads, wait, c.maxWait)
				}
			})
		})
	}
}

func TestPauseEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		resp := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 4)))}
		pace(paced(ctx, time.Hour), resp)
		time.AfterFunc(time.Second, cancel)
		began, buffer := time.Now(), make([]byte, 1)
		for range 4 {
			if _, err := resp.Body.Read(buffer); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// pipe returns both ends of a connection over a unix socket; the first one is blocking.
func pipe(t *testing.T) (blocking, other net.Conn) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	var d net.Dialer
	dial := withBlocking(func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", socket) })
	blocking, err = dial(forBlocking(t.Context()), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := blocking.(*blockingConn); !ok {
		t.Fatalf("dialed %T", blocking)
	}
	other, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = blocking.Close(), other.Close() })
	return blocking, other
}

func TestBlockingConnIsNotPolled(t *testing.T) {
	conn, other := pipe(t)
	// A connection of the poller supports deadlines.
	if err := conn.SetDeadline(time.Now()); !errors.Is(err, os.ErrNoDeadline) {
		t.Errorf("SetDeadline: %v, want %v", err, os.ErrNoDeadline)
	}
	if _, err := io.WriteString(conn, "question"); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 8)
	if _, err := io.ReadFull(other, buffer); err != nil || string(buffer) != "question" {
		t.Errorf("read %q, %v", buffer, err)
	}
	go func() {
		_, _ = io.WriteString(other, "answer")
		_ = other.Close()
	}()
	if got, err := io.ReadAll(conn); err != nil || string(got) != "answer" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestCloseEndsBlockedRead(t *testing.T) {
	conn, _ := pipe(t)
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatalf("read an empty connection: %v", err)
	case <-time.After(50 * time.Millisecond): // the read blocks
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the read does not end")
	}
}
