package docker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// pieceReader is the body of an answer whose pieces arrive one by one, at times since
// begin. As the transport does, it takes what has arrived, up to the size of a buffer, and
// returns the rest of the buffer before it takes more.
type pieceReader struct {
	begin time.Time
	times []time.Duration
	piece []byte
	rest  []byte
	// takes counts the times that the buffer was filled: each wakes up the daemon.
	takes int
}

// Read implements io.Reader.
func (r *pieceReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if len(r.times) == 0 {
			return 0, io.EOF
		}
		time.Sleep(time.Until(r.begin.Add(r.times[0])))
		r.takes++
		for len(r.times) > 0 && len(r.rest) < transportBuffer && time.Since(r.begin) >= r.times[0] {
			r.rest, r.times = append(r.rest, r.piece...), r.times[1:]
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
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

// TestPacedReads covers how often a body wakes up the daemon, and how long a piece waits.
// Its reader decodes JSON, so that it begins with reads of 512 bytes.
func TestPacedReads(t *testing.T) {
	const interval = time.Second
	for name, c := range map[string]struct {
		times    []time.Duration
		size     int
		maxTakes int
		maxWait  time.Duration
	}{
		"one piece":                       {times: every(interval, 1), size: 450, maxTakes: 1},
		"pieces that are rare":            {times: every(2*interval, 50), size: 450, maxTakes: 50},
		"a piece a second":                {times: every(interval, 50), size: 450, maxTakes: 50, maxWait: interval},
		"ten pieces a second":             {times: every(interval/10, 600), size: 450, maxTakes: 2*60 + 5, maxWait: interval},
		"a hundred pieces a second":       {times: every(interval/100, 6000), size: 450, maxTakes: 13 * 60, maxWait: interval + interval/10},
		"a hundred large pieces":          {times: every(interval/100, 6000), size: 3000, maxTakes: 6000, maxWait: interval + interval/10},
		"many pieces at the same time":    {times: make([]time.Duration, 10000), size: 450, maxTakes: 1001, maxWait: interval},
		"pairs of pieces that are rare":   {times: []time.Duration{0, time.Millisecond, time.Minute, time.Minute + time.Millisecond}, size: 450, maxTakes: 4},
		"a burst after pieces each 0.1 s": {times: append(every(interval/10, 100), make([]time.Duration, 5000)...), size: 450, maxTakes: 600, maxWait: 10*interval + interval},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slices.Sort(c.times)
				piece := []byte(`{"id":"` + strings.Repeat("x", c.size-9) + `"}`)
				pieces := &pieceReader{begin: time.Now(), times: c.times, piece: piece}
				resp := &http.Response{StatusCode: http.StatusOK, Body: pieces}
				pace(paced(t.Context(), interval), resp)
				decoder := json.NewDecoder(resp.Body)
				var wait time.Duration
				for _, at := range c.times {
					var decoded struct{ ID string }
					if err := decoder.Decode(&decoded); err != nil || len(decoded.ID) != c.size-9 {
						t.Fatalf("%d characters: %v", len(decoded.ID), err)
					}
					wait = max(wait, time.Since(pieces.begin)-at)
				}
				if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
					t.Errorf("after the last piece: %v", err)
				}
				if pieces.takes > c.maxTakes || wait > c.maxWait {
					t.Errorf("took data %d times, want at most %d; a piece waited %v, want at most %v", pieces.takes, c.maxTakes, wait, c.maxWait)
				}
			})
		})
	}
}

func TestPauseEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		resp := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(iotest.OneByteReader(strings.NewReader("xxxx")))}
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

// listen returns a listener, and a dialer that makes blocking connections to it.
func listen(t *testing.T) (net.Listener, func() net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	dial := withBlocking(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", listener.Addr().String())
	})
	return listener, func() net.Conn {
		conn, err := dial(forBlocking(t.Context()), "", "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
}

// pipe returns both ends of a connection; the first one is blocking.
func pipe(t *testing.T) (blocking, other net.Conn) {
	t.Helper()
	listener, dial := listen(t)
	blocking = dial()
	other, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	return blocking, other
}

func isBlocking(conn net.Conn) bool {
	_, ok := conn.(*blockingConn)
	return ok
}

func TestBlockingConnsAreLimited(t *testing.T) {
	_, dial := listen(t)
	conns := make([]net.Conn, maxBlocking)
	for i := range conns {
		if conns[i] = dial(); !isBlocking(conns[i]) {
			t.Fatalf("connection %d is a %T", i, conns[i])
		}
	}
	if conn := dial(); isBlocking(conn) {
		t.Errorf("more than %d connections are blocking", maxBlocking)
	}
	for range 2 { // the second one changes nothing
		_ = conns[0].Close()
	}
	if !isBlocking(dial()) || isBlocking(dial()) {
		t.Error("a closed connection does not make room for one")
	}
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
