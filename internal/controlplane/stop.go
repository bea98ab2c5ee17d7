package controlplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// drain is how long requests that are under way may take to end by themselves.
const drain = 2 * time.Second

// farewell is how long written answers may take to go out.
const farewell = 100 * time.Millisecond

// serve answers clients from the network.
func (s *Server) serve() {
	s.https = &http.Server{
		Handler:           s.servers.core.Handler,
		ReadHeaderTimeout: 10 * time.Second, // also for the TLS handshake
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    128 << 10,
		// A client that reads nothing at all blocks every stream of its connection.
		HTTP2:       &http.HTTP2Config{WriteByteTimeout: s.opts.WriteLimit},
		ErrorLog:    log.New(connectionLog{s.opts.Logger, &s.rejected}, "", 0),
		BaseContext: func(net.Listener) context.Context { return s.running },
		ConnContext: withConnection,
		TLSConfig: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{s.creds.certificate},
		},
	}
	clients := newGate(s.listener, defaultLimits(), s.reportStrangers)
	go func() {
		err := s.https.ServeTLS(clients, "", "")
		if errors.Is(err, http.ErrServerClosed) || s.running.Err() != nil {
			return
		}
		s.fail(fmt.Errorf("the API server's listener failed: %w", err))
	}()
}

// reportStrangers logs that a connection was closed to make room.
func (s *Server) reportStrangers() {
	s.rejected.note("connections", func(count int) {
		s.opts.Logger.Warn("too many connections without the API token; closed those that had waited longest: "+
			"'ss -tnp' as root shows whose they are", slog.Int("count", count), slog.Int("port", s.port))
	})
}

// fail ends the control plane because of something that it cannot live without.
func (s *Server) fail(cause error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.running), 2*drain)
	defer cancel()
	if err := s.stop(ctx, cause); err != nil {
		s.opts.Logger.Warn("the control plane did not end cleanly", slog.Any("error", err))
	}
}

// Stop ends the control plane: requests under way may finish, watches end, the
// datastore is closed. It takes no longer than ctx; an error says what had not
// ended by then. Stopping twice is fine.
func (s *Server) Stop(ctx context.Context) error { return s.stop(ctx, nil) }

// stop ends the control plane because of cause; nil when it was asked to.
func (s *Server) stop(ctx context.Context, cause error) error {
	var err error
	s.stopping.Do(func() {
		err = s.shutDown(ctx)
		s.err = cause
		close(s.stopped)
	})
	select {
	case <-s.stopped:
		return err
	case <-ctx.Done():
		return fmt.Errorf("stop the control plane: %w", ctx.Err())
	}
}

// shutDown takes down what has been put up, in reverse; after a failed start that
// may be anything.
func (s *Server) shutDown(ctx context.Context) error {
	if s.listener != nil {
		s.listener.Close()
	}
	if s.servers != nil {
		s.drainRequests(ctx)
	}
	s.cancel()
	var errs []error
	if s.https != nil {
		errs = append(errs, s.closeConnections(ctx))
	}
	if s.transport != nil {
		errs = append(errs, s.transport.Wait(ctx))
	}
	errs = append(errs, within(ctx, "the controllers", s.waitForControllers))
	if s.servers != nil {
		s.servers.core.Destroy()
	}
	if s.store != nil {
		errs = append(errs, s.store.Close(ctx))
	}
	return errors.Join(errs...)
}

// closeConnections lets answers that were written go out, which takes a moment
// after their handlers returned, and then closes what is left.
func (s *Server) closeConnections(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	if err := s.https.Shutdown(ctx); err == nil {
		return nil
	}
	if err := s.https.Close(); !errors.Is(err, net.ErrClosed) { // its listener was closed before
		return err
	}
	return nil
}

// drainRequests lets requests that are not watches finish, for a while.
func (s *Server) drainRequests(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	within(ctx, "requests", s.servers.config.NonLongRunningRequestWaitGroup.Wait) //nolint:errcheck // they are cancelled next
}

func (s *Server) waitForControllers() {
	s.enforcing.Wait()
	if s.reaper != nil {
		s.reaper.worker.Wait()
	}
	if s.factory != nil {
		s.factory.Shutdown()
	}
	if s.servers != nil {
		s.servers.crds.Informers.Shutdown()
	}
}

// within waits for a function that cannot be interrupted.
func within(ctx context.Context, what string, wait func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for %s to end: %w", what, ctx.Err())
	}
}
