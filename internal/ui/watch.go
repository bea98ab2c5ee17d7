package ui

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// pingInterval is the pause between two pings. A browser answers them by itself.
	pingInterval = 10 * time.Second
	// silenceLimit is the time without an answer until a socket is closed.
	silenceLimit = 30 * time.Second
	// writeLimit is how long one message may take.
	writeLimit = 15 * time.Second
	// maxCommand is the limit of a page's messages, in bytes.
	maxCommand = 16 << 10
	// queueLimit is the limit of the messages that wait for a page, in bytes, and patience
	// how long a watch waits for room.
	queueLimit = 1 << 20
	patience   = 5 * time.Second
)

// serveWatch serves the socket of a page. It carries any number of watches, as messages of
// text:
//
//	page:   {"id":1,"path":"/apis/…?watch=1"}   {"id":1,"stop":true}
//	server: {"id":1,"event":{…}}   {"id":1,"ended":{"code":410,"reason":"Expired","message":"…"}}
func (s *Server) serveWatch(w http.ResponseWriter, r *http.Request, used *session) {
	s.sockets.Add(1) // before Upgrade, which takes the connection away from http.Server.Close
	defer s.sockets.Done()
	upgrader := websocket.Upgrader{
		CheckOrigin: func(*http.Request) bool { return true }, // the guard has checked it
		Error: func(w http.ResponseWriter, _ *http.Request, code int, err error) {
			refuse(w, code, strings.ReplaceAll(http.StatusText(code), " ", ""), err.Error())
		},
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	all := &watches{
		ctx: ctx, api: s.API, followTree: s.FollowTree, out: newOutbox(queueLimit, patience), logger: s.Logger,
		stops: map[int64]context.CancelCauseFunc{},
	}
	defer all.running.Wait()
	defer cancel(nil)
	go func() { cancel(write(ctx, conn, all.out)) }()
	go func() { cancel(ping(ctx, conn, func() { s.sessions.touch(used) })) }()
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		end(conn, context.Cause(ctx))
	})
	cancel(read(conn, all.handle))
	<-closed
}

// protocolError is the error of a client that is not the page.
type protocolError struct{ error }

// read passes the commands of a page to handle, until the socket or a command fails.
func read(conn *websocket.Conn, handle func(text []byte) error) error {
	conn.SetReadLimit(maxCommand)
	extend := func(string) error { return conn.SetReadDeadline(time.Now().Add(silenceLimit)) }
	conn.SetPongHandler(extend)
	for {
		_ = extend("")
		kind, text, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		if kind != websocket.TextMessage {
			return protocolError{errors.New("a command is text")}
		}
		if err := handle(text); err != nil {
			return protocolError{err}
		}
	}
}

// write sends the messages of the queue.
func write(ctx context.Context, conn *websocket.Conn, out *outbox) error {
	for {
		messages := out.take(ctx)
		if messages == nil {
			return context.Cause(ctx)
		}
		for _, message := range messages {
			_ = conn.SetWriteDeadline(time.Now().Add(writeLimit))
			if err := conn.WriteMessage(websocket.TextMessage, message); err != nil {
				return err
			}
		}
	}
}

// ping sends pings, and calls alive with each.
func ping(ctx context.Context, conn *websocket.Conn, alive func()) error {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		alive()
		// It fails while the page does not read; then the read deadline ends the socket.
		_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(pingInterval))
	}
}

// end sends the reason of the end, and closes the socket.
func end(conn *websocket.Conn, cause error) {
	code, reason := websocket.CloseGoingAway, "rdd is stopping"
	if protocol, ok := errors.AsType[protocolError](cause); ok {
		code, reason = websocket.ClosePolicyViolation, protocol.Error()
	} else if errors.Is(cause, errSessionEnded) {
		code, reason = websocket.ClosePolicyViolation, cause.Error()
	}
	const maxReason = 120 // of a control frame
	message := websocket.FormatCloseMessage(code, strings.ToValidUTF8(reason[:min(len(reason), maxReason)], ""))
	_ = conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(closeDelay))
	_ = conn.Close()
}
