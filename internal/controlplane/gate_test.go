package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

// pipeListener accepts one end of an in-memory connection for each dial.
type pipeListener struct {
	net.Listener

	conns chan net.Conn
}

func (l *pipeListener) Accept() (net.Conn, error) { return <-l.conns, nil }

// The gate evicts the oldest unauthenticated connections, and limits authenticated
// ones.
func TestGateLimitsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &pipeListener{conns: make(chan net.Conn)}
		evicted := 0
		limits := connectionLimits{authenticated: 2, unauthenticated: 3, authTimeout: 10 * time.Second, minWait: time.Second}
		g := newGate(inner, limits, func() { evicted++ })
		dial := func() (client net.Conn, server *gatedConn) {
			client, far := net.Pipe()
			go func() { inner.conns <- far }()
			conn, err := g.Accept()
			if err != nil {
				t.Fatal(err)
			}
			return client, conn.(*gatedConn)
		}
		isClosed := func(client net.Conn) bool {
			_ = client.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := client.Read(make([]byte, 1))
			return errors.Is(err, io.EOF)
		}
		var clients []net.Conn
		var servers []*gatedConn
		for range 2 {
			client, server := dial()
			for range 2 { // for each request
				if !server.markAuthenticated() {
					t.Fatal("a client with the token was refused")
				}
			}
			clients, servers = append(clients, client), append(servers, server)
		}
		startedAt := time.Now()
		for range 5 {
			client, server := dial()
			clients, servers = append(clients, client), append(servers, server)
		}
		if took := time.Since(startedAt); took < limits.minWait || evicted != 2 {
			t.Errorf("five connections took %s for three places, and %d were evicted", took, evicted)
		}
		for i, want := range []bool{false, false, true, true, false, false, false} {
			if isClosed(clients[i]) != want {
				t.Errorf("connection %d: closed is not %t", i, want)
			}
		}
		if servers[6].markAuthenticated() {
			t.Error("more connections are authenticated than the limit")
		}
		servers[0].Close()
		if !servers[6].markAuthenticated() {
			t.Error("a freed place is not used")
		}
		<-time.After(limits.authTimeout)
		for i, want := range []bool{true, false, true, true, true, true, false} {
			if isClosed(clients[i]) != want {
				t.Errorf("connection %d after the timeout: closed is not %t", i, want)
			}
		}
		for _, server := range servers {
			server.Close()
		}
	})
}

// An authenticated connection is never evicted, and an evicted one cannot become
// authenticated.
func TestGateEvictsOnlyUnauthenticated(t *testing.T) {
	g := newGate(nil, connectionLimits{authenticated: 2, unauthenticated: 1, authTimeout: time.Hour}, nil)
	admit := func() *gatedConn {
		client, far := net.Pipe()
		t.Cleanup(func() { _ = client.Close() })
		return g.admit(far)
	}
	authenticated := admit()
	if !authenticated.markAuthenticated() {
		t.Fatal("a client with the token was refused")
	}
	other := admit()
	if oldest, delay := g.evict(); oldest != other || delay != 0 {
		t.Errorf("evicted %v, delay %s", oldest, delay)
	}
	if other.markAuthenticated() {
		t.Error("an evicted connection became authenticated")
	}
	if oldest, delay := g.evict(); oldest != nil || delay != 0 {
		t.Errorf("evicted %v although a place is free, delay %s", oldest, delay)
	}
}

// The deadline ends a request whose body does not arrive, and not a slow handler.
func TestBodyDeadlineEndsOnlySlowBodies(t *testing.T) {
	const limit = 300 * time.Millisecond
	results := make(chan error, 1)
	server := httptest.NewServer(withBodyDeadline(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		if err == nil {
			select {
			case <-r.Context().Done():
				err = r.Context().Err()
			case <-time.After(3 * limit):
			}
		}
		results <- err
	}), limit))
	defer server.Close()
	post := func(body io.Reader) error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := server.Client().Do(request); err == nil {
			response.Body.Close()
		}
		return <-results
	}
	if err := post(bytes.NewReader([]byte("whole"))); err != nil {
		t.Errorf("a slow handler after a body in time: %v", err)
	}
	never, stop := io.Pipe()
	defer stop.Close()
	err := post(never)
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("did not arrive within")) {
		t.Errorf("a body that does not arrive: %v", err)
	}
}

// A repeated line is logged at once and then once per period with its count.
func TestLogLimiterCountsRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limiter logLimiter
		var mutex sync.Mutex
		var counts []int
		record := func() {
			limiter.record("key", func(count int) {
				mutex.Lock()
				defer mutex.Unlock()
				counts = append(counts, count)
			})
		}
		logged := func() []int {
			synctest.Wait()
			mutex.Lock()
			defer mutex.Unlock()
			return slices.Clone(counts)
		}
		keys := func() int {
			synctest.Wait()
			limiter.mutex.Lock()
			defer limiter.mutex.Unlock()
			return len(limiter.keys)
		}
		for range 10 {
			record()
		}
		if got := logged(); len(got) != 1 || got[0] != 1 {
			t.Fatalf("got %v at once", got)
		}
		<-time.After(repeatFirst + time.Second)
		record()
		<-time.After(repeatFirst) // the second period is twice as long
		if got := logged(); len(got) != 2 || got[1] != 9 {
			t.Fatalf("got %v after the first period", got)
		}
		<-time.After(repeatFirst)
		<-time.After(4 * repeatFirst)
		record()
		if got := logged(); len(got) != 4 || got[2] != 1 || got[3] != 1 {
			t.Fatalf("got %v after a pause", got)
		}
		for i := range 2 * repeatKeys {
			limiter.record(fmt.Sprint(i), func(int) {})
		}
		if n := keys(); n > repeatKeys+1 {
			t.Errorf("the limiter has %d keys", n)
		}
		<-time.After(2 * repeatLast)
		if n := keys(); n != 0 {
			t.Errorf("the limiter still has %d keys", n)
		}
	})
}

// stuckDeleter always fails, and changes the namespace each time, as the real deleter
// does.
type stuckDeleter struct {
	reaper   *namespaceReaper
	attempts atomic.Int32
}

func (d *stuckDeleter) Delete(_ context.Context, name string) error {
	attempt := d.attempts.Add(1)
	go func() {
		for range 3 {
			if d.attempts.Load() < 100 { // a reaper without back-off must not loop forever
				d.reaper.enqueue(terminating(name))
			}
			<-time.After(time.Millisecond)
		}
	}()
	// The real deleter returns its errors in random order.
	errs := []error{errors.New("one"), errors.New("two")}
	if attempt%2 == 0 {
		errs[0], errs[1] = errs[1], errs[0]
	}
	return utilerrors.NewAggregate(errs)
}

func terminating(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, DeletionTimestamp: &metav1.Time{Time: time.Now()}}}
}

// The events of failed attempts do not shorten the delay before the next one.
func TestReaperBacksOffDespiteEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		reaper := newNamespaceReaper(nil, nil, slog.New(slog.NewTextHandler(&logged, nil)))
		deleter := &stuckDeleter{reaper: reaper}
		reaper.deleter = deleter
		ctx, cancel := context.WithCancel(t.Context())
		reaper.run(ctx)
		reaper.enqueue(terminating("stuck"))
		<-time.After(time.Minute)
		cancel()
		reaper.worker.Wait()
		synctest.Wait() // a timer may log a line
		if attempts := deleter.attempts.Load(); attempts < 12 || attempts > 25 {
			t.Errorf("%d attempts in a minute", attempts)
		}
		if lines := bytes.Count(logged.Bytes(), []byte("\n")); lines != 1 {
			t.Errorf("%d lines of log:\n%s", lines, &logged)
		}
	})
}
