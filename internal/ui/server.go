package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Config says what a server serves.
type Config struct {
	// Dir is the directory, of mode 0700, of the port and the sessions.
	Dir string
	// Command is the command of a terminal that logs a browser in: rdd ui.
	Command string
	// Page serves the files of the page below /, and its document at /.
	Page http.Handler
	// API returns the API, as the user of this machine; nil while it does not run.
	API func() http.Handler
	// Facts returns what /session shows about this daemon, as JSON. An error means that it is
	// not known yet.
	Facts func(ctx context.Context) (any, error)
	// Preload returns the path of what the page requests first, for the browser to request it
	// at the same time as the script; empty while it is not known.
	Preload func(ctx context.Context) string
	// Tree returns the supervision tree, as JSON. FollowTree calls emit with the tree, and
	// then with changes, until ctx ends or emit returns an error.
	Tree       func() any
	FollowTree func(ctx context.Context, emit func(event any) error) error
	// Doctor returns its report, as JSON.
	Doctor func(ctx context.Context) ([]byte, error)
	// Bundle writes a support bundle, and BundleName returns a name for the file.
	Bundle     func(ctx context.Context, out io.Writer) error
	BundleName func() string
	Logger     *slog.Logger
}

// Server is a running server. Its methods may be called concurrently.
type Server struct {
	Config

	port     int
	codes    codes
	sessions *sessions
	// logins makes a login, which replaces a code by a session, exclusive of Revoke.
	logins sync.Mutex
	http   *http.Server
	// running ends with the server, sockets counts the sockets of pages.
	running context.Context
	stop    context.CancelFunc
	sockets sync.WaitGroup
	served  chan struct{}
	// report has one place: for one run of the doctor or the support bundle.
	report chan struct{}
}

// Start starts a server.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	listener, port, err := listen(ctx, cfg.Dir, cfg.Logger)
	if err != nil {
		return nil, err
	}
	s := newServer(ctx, cfg, port)
	go func() {
		defer close(s.served)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			cfg.Logger.Error("the page is not served any more; 'rdd svc restart' restarts it", slog.Any("err", err))
		}
	}()
	return s, nil
}

func newServer(ctx context.Context, cfg Config, port int) *Server {
	s := &Server{
		Config: cfg, port: port, sessions: loadSessions(sessionFileIn(cfg.Dir), cfg.Logger),
		served: make(chan struct{}), report: make(chan struct{}, 1),
	}
	s.running, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.http = &http.Server{
		Handler:           newGuard(s.hosts()...).protect(s.routes()),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // any user can cause these errors
		BaseContext:       func(net.Listener) context.Context { return s.running },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, conn)
		},
	}
	return s
}

// hosts returns the names of the server in requests.
func (s *Server) hosts() []string {
	port := strconv.Itoa(s.port)
	return []string{net.JoinHostPort(loopback, port), net.JoinHostPort("localhost", port)}
}

// routes returns the handler of requests that the guard has let through.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", s.serveLogin)
	mux.HandleFunc("GET "+welcomePath, s.serveWelcome)
	for _, prefix := range []string{"/api", "/apis", "/openapi"} {
		mux.Handle(prefix, s.withSession(s.serveAPI))
		mux.Handle(prefix+"/", s.withSession(s.serveAPI))
	}
	mux.Handle("GET /metrics", s.withSession(s.serveAPI))
	mux.Handle("GET /watch", s.withSession(s.serveWatch))
	mux.Handle("GET /session", s.withSession(s.serveFacts))
	mux.Handle("GET /tree", s.withSession(s.serveTree))
	mux.Handle("GET /doctor", s.withSession(s.serveDoctor))
	mux.Handle("GET /support-bundle", s.withSession(s.serveBundle))
	mux.HandleFunc("/", s.servePage)
	return mux
}

// URL returns the address of the page.
func (s *Server) URL() string { return "http://" + s.hosts()[0] + "/" }

// LoginURL returns an address that logs a browser in. It can be used once, within 30 s.
func (s *Server) LoginURL() string {
	return s.URL() + "login?" + url.Values{codeParameter: {s.codes.create()}}.Encode()
}

// logIn exchanges a code for the secret of a new session. ok is false if the code is not valid.
func (s *Server) logIn(code string) (secret string, ok bool) {
	s.logins.Lock()
	defer s.logins.Unlock()
	if !s.codes.redeem(code) {
		return "", false
	}
	return s.sessions.create(), true
}

// Revoke ends all sessions, with their sockets and streams, and returns their number. Codes
// that wait for a login become invalid.
func (s *Server) Revoke() (int, error) {
	s.logins.Lock()
	defer s.logins.Unlock()
	s.codes.revoke()
	count, err := s.sessions.revoke()
	s.Logger.Info("ended all sessions of the page", slog.Int("count", count))
	return count, err
}

// Stop ends the server and all requests. The sessions stay, for the next start.
func (s *Server) Stop(ctx context.Context) error {
	s.stop()
	err := s.http.Close()
	ended := make(chan struct{})
	go func() {
		<-s.served
		s.sockets.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return err
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("stop the page: %w", ctx.Err()))
	}
}
