package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// message is what a page receives.
type message struct {
	ID    int64 `json:"id"`
	Event *struct {
		Type string `json:"type"`
		N    int    `json:"n"`
	} `json:"event"`
	Ended *struct {
		Code    int    `json:"code"`
		Reason  string `json:"reason"`
		Message string `json:"message"`
	} `json:"ended"`
}

// end returns the id and the reason of the end of a watch; empty for an event.
func (m message) end() string {
	if m.Ended == nil {
		return ""
	}
	return fmt.Sprintf("%d %d %s", m.ID, m.Ended.Code, m.Ended.Reason)
}

// socket opens the socket of a page with a session.
func socket(t *testing.T, s *Server, client *http.Client) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{Jar: client.Jar, HandshakeTimeout: deadline}
	own := strings.TrimSuffix(s.URL(), "/")
	conn, got, err := dialer.DialContext(t.Context(), strings.Replace(s.URL(), "http", "ws", 1)+"watch", http.Header{"Origin": {own}})
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	t.Cleanup(func() { conn.Close() })
	return conn
}

func send(t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, conn *websocket.Conn) message {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(deadline))
	var m message
	if err := conn.ReadJSON(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// watchAPI is an API with watches that end in the way of their path.
func watchAPI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.TrimPrefix(r.URL.Path, "/apis/") {
		case "open":
			fmt.Fprintf(w, `{"type":"ADDED","n":1}`+"\n"+`{"type":"MODIF`)
			fmt.Fprintf(w, `IED","n":2}`+"\n")
			<-r.Context().Done()
		case "closed":
			fmt.Fprintf(w, `{"type":"ADDED","n":1}`+"\n")
		case "gone":
			respond(w, http.StatusGone, statusOf(http.StatusGone, "Expired", "too old"))
		case "gone-later":
			fmt.Fprintf(w, `{"type":"ADDED","n":1}`+"\n"+`{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}`+"\n")
		case "panic":
			panic("index out of range")
		case "abort":
			panic(http.ErrAbortHandler)
		case "endless":
			for n := 1; ; n++ {
				if _, err := fmt.Fprintf(w, `{"type":"ADDED","n":%d,"x":%q}`+"\n", n, strings.Repeat("x", 1<<10)); err != nil {
					return
				}
			}
		default:
			http.NotFound(w, r)
		}
	})
}

func startWatches(t *testing.T) *Server {
	t.Helper()
	cfg := testConfig(t)
	cfg.API = func() http.Handler { return watchAPI() }
	cfg.FollowTree = func(ctx context.Context, emit func(any) error) error {
		if err := emit(map[string]any{"type": "SNAPSHOT"}); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return startTest(t, cfg)
}

func TestSocketCarriesWatches(t *testing.T) {
	s := startWatches(t)
	conn := socket(t, s, loggedIn(t, s))
	send(t, conn, `{"id":1,"path":"/apis/open?watch=1"}`)
	for n, kind := range []string{"ADDED", "MODIFIED"} {
		if m := receive(t, conn); m.ID != 1 || m.Event == nil || m.Event.Type != kind || m.Event.N != n+1 {
			t.Errorf("event %d is %+v", n, m.Event)
		}
	}
	send(t, conn, `{"id":2,"path":"/tree"}`)
	if m := receive(t, conn); m.ID != 2 || m.Event == nil || m.Event.Type != "SNAPSHOT" {
		t.Errorf("the tree is %+v", m)
	}
	for _, test := range []struct{ command, end string }{
		{`{"id":1,"stop":true}`, "1 200 Stopped"},
		{`{"id":2,"stop":true}`, "2 200 Stopped"},
		{`{"id":1,"path":"/apis/closed?watch=true"}`, "1 200 Closed"},
		{`{"id":3,"path":"/apis/gone?watch=1"}`, "3 410 Expired"},
		{`{"id":3,"path":"/apis/gone-later?watch=1"}`, "3 410 Expired"},
		{`{"id":4,"path":"/apis/missing?watch=1"}`, "4 404 NotFound"},
		{`{"id":4,"path":"/apis/panic?watch=1"}`, "4 500 InternalError"},
		{`{"id":4,"path":"/apis/abort?watch=1"}`, "4 503 ServiceUnavailable"},
		{`{"id":5,"path":"/apis/x"}`, "5 400 BadRequest"},
		{`{"id":6,"path":"/metrics?watch=1"}`, "6 400 BadRequest"},
		{`{"id":6,"path":"/apis/../rdd/shutdown?watch=1"}`, "6 400 BadRequest"},
		{`{"id":6,"path":"http://evil.example/apis/x?watch=1"}`, "6 400 BadRequest"},
	} {
		send(t, conn, test.command)
		m := receive(t, conn)
		for m.Event != nil {
			m = receive(t, conn)
		}
		if m.end() != test.end {
			t.Errorf("%s: %q and not %q", test.command, m.end(), test.end)
		}
	}
	send(t, conn, `{"id":99,"stop":true}`) // it has no watch
	send(t, conn, `{"id":7,"path":"/apis/open?watch=1"}`)
	if m := receive(t, conn); m.ID != 7 {
		t.Errorf("after the stop of an unknown watch: %+v", m)
	}
}

func TestWatchesAreLimited(t *testing.T) {
	s := startWatches(t)
	conn := socket(t, s, loggedIn(t, s))
	for id := range maxWatches + 1 {
		send(t, conn, fmt.Sprintf(`{"id":%d,"path":"/tree"}`, id+1))
	}
	send(t, conn, fmt.Sprintf(`{"id":%d,"path":"/ping"}`, maxWatches+2)) // it is no watch
	var ends []string
	for range maxWatches + 2 {
		if end := receive(t, conn).end(); end != "" {
			ends = append(ends, end)
		}
	}
	want := fmt.Sprintf("[%d 429 TooManyRequests %d 200 Answered]", maxWatches+1, maxWatches+2)
	if got := fmt.Sprint(ends); got != want {
		t.Errorf("%s and not %s", got, want)
	}
}

// hijacked is a response whose connection cannot be taken over.
type hijacked struct {
	*httptest.ResponseRecorder

	before func()
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h.before()
	return nil, nil, errors.New("the connection is closed")
}

// Stop waits for a socket from the moment at which the HTTP server does not know it any more.
func TestSocketCountedBeforeUpgrade(t *testing.T) {
	s := startWatches(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/watch", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		r.Header.Set(name, value)
	}
	tried := false
	s.serveWatch(hijacked{httptest.NewRecorder(), func() {
		tried = true
		s.sockets.Done() // panics without a socket
		s.sockets.Add(1)
	}}, r, nil)
	if !tried {
		t.Error("the connection was not taken over")
	}
	s.sockets.Wait()
}

func TestSocketRefusesOtherClients(t *testing.T) {
	s := startWatches(t)
	client := loggedIn(t, s)
	for name, text := range map[string]string{
		"no JSON": "x", "a list": "[]", "two commands": `{"id":1,"stop":true}{"id":1,"stop":true}`, "no id": `{"path":"/tree"}`,
		"a negative id": `{"id":-1,"path":"/tree"}`, "a fraction": `{"id":1.5,"path":"/tree"}`, "nothing": `{"id":1}`,
		"both": `{"id":1,"path":"/tree","stop":true}`, "another field": `{"id":1,"path":"/tree","x":1}`,
		"protobuf": `{"id":1,"path":"/apis/open?watch=1","accept":"application/vnd.kubernetes.protobuf"}`,
	} {
		t.Run(name, func(t *testing.T) {
			conn := socket(t, s, client)
			send(t, conn, text)
			_ = conn.SetReadDeadline(time.Now().Add(deadline))
			_, _, err := conn.ReadMessage()
			if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("an id in use", func(t *testing.T) {
		conn := socket(t, s, client)
		send(t, conn, `{"id":1,"path":"/tree"}`)
		send(t, conn, `{"id":1,"path":"/tree"}`)
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		for {
			_, _, err := conn.ReadMessage()
			if err == nil {
				continue
			}
			if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
				t.Errorf("%v", err)
			}
			break
		}
	})
	t.Run("a long message", func(t *testing.T) {
		conn := socket(t, s, client)
		send(t, conn, `{"id":1,"path":"`+strings.Repeat("x", maxCommand)+`"}`)
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		if _, _, err := conn.ReadMessage(); err == nil {
			t.Error("it was answered")
		}
	})
}

// Sockets end within a second, also one whose page does not read.
func TestRevokeEndsSockets(t *testing.T) {
	s := startWatches(t)
	client := loggedIn(t, s)
	open, stalled := socket(t, s, client), socket(t, s, client)
	send(t, open, `{"id":1,"path":"/tree"}`)
	receive(t, open)
	send(t, stalled, `{"id":1,"path":"/apis/endless?watch=1"}`)
	receive(t, stalled)
	began := time.Now()
	if _, err := s.Revoke(); err != nil {
		t.Fatal(err)
	}
	_ = open.SetReadDeadline(time.Now().Add(deadline))
	if _, _, err := open.ReadMessage(); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("the socket ended with %v", err)
	}
	ended := make(chan struct{})
	go func() {
		s.sockets.Wait()
		close(ended)
	}()
	within(t, ended)
	if took := time.Since(began); took > time.Second {
		t.Errorf("the sockets ended after %s", took)
	}
}

func TestStopEndsSockets(t *testing.T) {
	s, err := Start(t.Context(), testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	conn := socket(t, s, loggedIn(t, s))
	stopTest(t, s)
	_ = conn.SetReadDeadline(time.Now().Add(deadline))
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the socket ended with %v", err)
	}
}

// A watch of a client that cannot stream is an error of the API server, not of the page.
func TestWatchWithoutAPI(t *testing.T) {
	cfg := testConfig(t)
	cfg.API = func() http.Handler { return nil }
	cfg.FollowTree = func(context.Context, func(any) error) error { return errors.New("no tree") }
	s := startTest(t, cfg)
	conn := socket(t, s, loggedIn(t, s))
	send(t, conn, `{"id":1,"path":"/apis/x?watch=1"}`)
	if m := receive(t, conn); m.end() != "1 503 ServiceUnavailable" {
		t.Errorf("%+v", m)
	}
	send(t, conn, `{"id":1,"path":"/tree"}`)
	if m := receive(t, conn); m.end() != "1 503 ServiceUnavailable" || m.Ended.Message != "no tree" {
		t.Errorf("%+v", m)
	}
	send(t, conn, `{"id":2,"path":"/ping"}`)
	if m := receive(t, conn); m.end() != "2 200 Answered" {
		t.Errorf("the answer to a probe is %+v", m)
	}
}

// The parts of an event arrive as one, in whatever way they are written.
func TestEventWriterFindsEvents(t *testing.T) {
	const text = `{"type":"ADDED","n":1}` + "\n\n" + `{"type":"DELETED","n":2}` + "\n"
	for size := 1; size <= len(text); size++ {
		var got []string
		w := &eventWriter{header: http.Header{}, emit: func(event []byte) error {
			got = append(got, string(event))
			return nil
		}}
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			if _, err := w.Write([]byte(rest[:min(size, len(rest))])); err != nil {
				t.Fatal(err)
			}
		}
		if want := strings.Fields(strings.TrimSpace(text)); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("in parts of %d bytes: %q", size, got)
		}
	}
}

func TestEventWriterLimitsFailures(t *testing.T) {
	w := &eventWriter{header: http.Header{}}
	w.WriteHeader(http.StatusBadGateway)
	for range 100 {
		if n, err := w.Write(make([]byte, maxFailure/10)); err != nil || n != maxFailure/10 {
			t.Fatal(n, err)
		}
	}
	if w.line.Len() != maxFailure || w.end().Code != http.StatusBadGateway {
		t.Errorf("%d bytes: %+v", w.line.Len(), w.end().Code)
	}
}
