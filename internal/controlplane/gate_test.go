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

func TestGateKeepsPlacesForStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &pipeListener{conns: make(chan net.Conn)}
		evicted := 0
		limits := connectionLimits{known: 2, strangers: 3, patience: 10 * time.Second, grace: time.Second}
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
				if !server.recognise() {
					t.Fatal("a client with the token was refused")
				}
			}
			clients, servers = append(clients, client), append(servers, server)
		}
		began := time.Now()
		for range 5 {
			client, server := dial()
			clients, servers = append(clients, client), append(servers, server)
		}
		if took := time.Since(began); took < limits.grace || evicted != 2 {
			t.Errorf("five strangers took %s for three places, and %d made room", took, evicted)
		}
		for i, want := range []bool{false, false, true, true, false, false, false} {
			if isClosed(clients[i]) != want {
				t.Errorf("connection %d: closed is not %t", i, want)
			}
		}
		if servers[6].recognise() {
			t.Error("there is room for more known connections than the limit")
		}
		servers[0].Close()
		if !servers[6].recognise() {
			t.Error("a place that became free is not used")
		}
		<-time.After(limits.patience)
		for i, want := range []bool{true, false, true, true, true, true, false} {
			if isClosed(clients[i]) != want {
				t.Errorf("connection %d after the time for a token: closed is not %t", i, want)
			}
		}
		for _, server := range servers {
			server.Close()
		}
	})
}

func TestGateEvictsOnlyStrangers(t *testing.T) {
	g := newGate(nil, connectionLimits{known: 2, strangers: 1, patience: time.Hour}, nil)
	enter := func() *gatedConn {
		client, far := net.Pipe()
		t.Cleanup(func() { _ = client.Close() })
		return g.enter(far)
	}
	known := enter()
	if !known.recognise() {
		t.Fatal("a client with the token was refused")
	}
	stranger := enter()
	if oldest, left := g.evict(); oldest != stranger || left != 0 {
		t.Errorf("evicted %v, %s are left", oldest, left)
	}
	if stranger.recognise() {
		t.Error("a connection that is about to be closed became known")
	}
	if oldest, left := g.evict(); oldest != nil || left != 0 {
		t.Errorf("evicted %v although there is room, %s are left", oldest, left)
	}
}

// TestBodyDeadlineEndsSlowBodiesOnly posts to real handlers.
func TestBodyDeadlineEndsSlowBodiesOnly(t *testing.T) {
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
		t.Errorf("work after a body that came in time: %v", err)
	}
	never, stop := io.Pipe()
	defer stop.Close()
	err := post(never)
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("did not arrive within")) {
		t.Errorf("a body that does not come: %v", err)
	}
}

func TestRepeatsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r repeats
		var mutex sync.Mutex
		var counts []int
		note := func() {
			r.note("key", func(count int) {
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
		remembered := func() int {
			synctest.Wait()
			r.mutex.Lock()
			defer r.mutex.Unlock()
			return len(r.keys)
		}
		for range 10 {
			note()
		}
		if got := logged(); len(got) != 1 || got[0] != 1 {
			t.Fatalf("got %v at once", got)
		}
		<-time.After(repeatFirst + time.Second)
		note()
		<-time.After(repeatFirst) // the second period is twice as long
		if got := logged(); len(got) != 2 || got[1] != 9 {
			t.Fatalf("got %v after the first period", got)
		}
		<-time.After(repeatFirst)
		<-time.After(4 * repeatFirst)
		note()
		if got := logged(); len(got) != 4 || got[2] != 1 || got[3] != 1 {
			t.Fatalf("got %v after a pause", got)
		}
		for i := range 2 * repeatKeys {
			r.note(fmt.Sprint(i), func(int) {})
		}
		if n := remembered(); n > repeatKeys+1 {
			t.Errorf("it remembers %d", n)
		}
		<-time.After(2 * repeatLast)
		if n := remembered(); n != 0 {
			t.Errorf("it still remembers %d", n)
		}
	})
}

// stuckDeleter fails, and changes the namespace each time as the real one does.
type stuckDeleter struct {
	reaper   *namespaceReaper
	attempts atomic.Int32
}

func (d *stuckDeleter) Delete(_ context.Context, name string) error {
	attempt := d.attempts.Add(1)
	go func() {
		for range 3 {
			if d.attempts.Load() < 100 { // else it does not back off, and this would never end
				d.reaper.enqueue(terminating(name))
			}
			<-time.After(time.Millisecond)
		}
	}()
	// The order of a map's keys differs.
	errs := []error{errors.New("one"), errors.New("two")}
	if attempt%2 == 0 {
		errs[0], errs[1] = errs[1], errs[0]
	}
	return utilerrors.NewAggregate(errs)
}

func terminating(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, DeletionTimestamp: &metav1.Time{Time: time.Now()}}}
}

func TestReaperBacksOffWhateverEventsCome(t *testing.T) {
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
		synctest.Wait() // for a line that a timer logs
		if attempts := deleter.attempts.Load(); attempts < 12 || attempts > 25 {
			t.Errorf("%d attempts in a minute", attempts)
		}
		if lines := bytes.Count(logged.Bytes(), []byte("\n")); lines != 1 {
			t.Errorf("%d lines of log:\n%s", lines, &logged)
		}
	})
}
