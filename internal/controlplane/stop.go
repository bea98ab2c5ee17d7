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

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

// drainTimeout is how long running requests may take to complete.
const drainTimeout = 2 * time.Second

// flushTimeout is how long written responses may take to be sent.
const flushTimeout = 100 * time.Millisecond

// serve answers clients from the network.
func (s *Server) serve() {
	s.https = &http.Server{
		Handler:           s.servers.core.Handler,
		ReadHeaderTimeout: 10 * time.Second, // also for the TLS handshake
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    128 << 10,
		// A client that reads nothing blocks every stream of its connection.
		HTTP2:       &http.HTTP2Config{WriteByteTimeout: s.opts.WriteLimit},
		ErrorLog:    log.New(connectionLog{s.opts.Logger, &s.rejected}, "", 0),
		BaseContext: func(net.Listener) context.Context { return s.running },
		ConnContext: withConnection,
		TLSConfig: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{s.creds.certificate},
			// Go prefers an exchange that resists quantum computers, which takes a third
			// of a handshake. These connections do not leave the machine.
			CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		},
	}
	clients := newGate(s.listener, defaultLimits(), s.reportEviction)
	go func() {
		err := s.https.ServeTLS(clients, "", "")
		if errors.Is(err, http.ErrServerClosed) || s.running.Err() != nil {
			return
		}
		s.fail(fmt.Errorf("the API server's listener failed: %w", err))
	}()
}

// reportEviction logs that a connection was closed to make room.
func (s *Server) reportEviction() {
	s.rejected.record("connections", func(count int) {
		s.opts.Logger.Warn("closed the oldest connections without the API token, because there are too many: "+
			"'ss -tnp' as root shows their processes", slog.Int("count", count), slog.Int("port", s.port))
	})
}

// fail stops the control plane after an error that it cannot recover from.
func (s *Server) fail(cause error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.running), 2*drainTimeout)
	defer cancel()
	if err := s.stop(ctx, cause); err != nil {
		s.opts.Logger.Warn("the control plane did not end cleanly", slog.Any("error", err))
	}
}

// Stop stops the control plane: it waits for running requests, ends watches and closes
// the datastore. It returns when ctx ends at the latest; the error then names what is
// still running. Stop may be called again.
func (s *Server) Stop(ctx context.Context) error { return s.stop(ctx, nil) }

// stop stops the control plane. cause is the failure, or nil for a regular stop.
func (s *Server) stop(ctx context.Context, cause error) error {
	var err error
	s.stopping.Do(func() {
		libraryLog.stopping.Store(true)
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

// shutDown stops what was started, in reverse order. After a failed start that may be
// only some parts.
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
	for _, store := range []*datastore.Store{s.eventStore, s.store} {
		if store != nil {
			errs = append(errs, store.Close(ctx))
		}
	}
	return errors.Join(errs...)
}

// closeConnections waits a moment until written responses are sent, and then closes the
// remaining connections.
func (s *Server) closeConnections(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := s.https.Shutdown(ctx); err == nil {
		return nil
	}
	if err := s.https.Close(); !errors.Is(err, net.ErrClosed) { // the listener is closed already
		return err
	}
	return nil
}

// drainRequests waits for running requests that are not watches, for at most
// drainTimeout.
func (s *Server) drainRequests(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	within(ctx, "requests", s.servers.config.NonLongRunningRequestWaitGroup.Wait) //nolint:errcheck // the requests are cancelled next
}

func (s *Server) waitForControllers() {
	s.enforcing.Wait()
	if s.recorder != nil {
		s.recorder.writer.Wait()
	}
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
