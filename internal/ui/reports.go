package ui

import (
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"
)

// serveFacts serves what is known about this daemon.
func (s *Server) serveFacts(w http.ResponseWriter, r *http.Request, _ *session) {
	facts, err := s.Facts(r.Context())
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", err.Error()+": retry in a few seconds")
		return
	}
	respond(w, http.StatusOK, facts)
}

func (s *Server) serveTree(w http.ResponseWriter, _ *http.Request, _ *session) {
	respond(w, http.StatusOK, s.Tree())
}

// reporting calls handler, unless another report is being made.
func (s *Server) reporting(w http.ResponseWriter, handler func() error) {
	select {
	case s.report <- struct{}{}:
		defer func() { <-s.report }()
	default:
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusTooManyRequests, "TooManyRequests", "the doctor, or a support bundle, is running: retry when it has ended")
		return
	}
	if err := handler(); err != nil {
		s.Logger.Warn("a report for the page could not be made", slog.Any("err", err))
		refuse(w, http.StatusInternalServerError, "InternalError", err.Error())
	}
}

// serveDoctor serves the findings of the doctor.
func (s *Server) serveDoctor(w http.ResponseWriter, r *http.Request, _ *session) {
	s.reporting(w, func() error {
		report, err := s.Doctor(r.Context())
		if err != nil {
			return fmt.Errorf("run the doctor: %w", err)
		}
		w.Header().Set("Content-Type", "application/json")
		limitWrite(w)
		_, _ = w.Write(report) // the client may have left
		return nil
	})
}

// serveBundle serves a support bundle as a file.
func (s *Server) serveBundle(w http.ResponseWriter, r *http.Request, _ *session) {
	s.reporting(w, func() error {
		out := &download{ResponseWriter: w, name: s.BundleName()}
		err := s.Bundle(r.Context(), out)
		if err != nil && out.hasBegun {
			s.Logger.Warn("a support bundle for the page is incomplete", slog.Any("err", err))
			// The response gets no end, so the browser reports a failed download.
			_ = http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0))
			return nil
		}
		if err != nil {
			return fmt.Errorf("make a support bundle: %w", err)
		}
		return nil
	})
}

// limitWrite ends the connection if the client does not read the next part of a report in
// time. Else the client would keep the place for reports.
func limitWrite(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeLimit))
}

// download is a response that becomes a file. It begins with the first byte.
type download struct {
	http.ResponseWriter

	name     string
	hasBegun bool
}

var _ io.Writer = (*download)(nil)

// Write implements [io.Writer].
func (d *download) Write(p []byte) (int, error) {
	if !d.hasBegun {
		d.hasBegun = true
		d.Header().Set("Content-Type", "application/gzip")
		d.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.name}))
	}
	limitWrite(d.ResponseWriter)
	return d.ResponseWriter.Write(p)
}
