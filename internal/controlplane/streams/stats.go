package streams

import (
	"encoding/json"
	"net/http"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// serveStats sends one JSON object in each line. After a failure the last line is a
// Status.
func (s *server) serveStats(w http.ResponseWriter, r *http.Request) error {
	once, err := parseStats(r.URL.Query())
	if err != nil {
		return err
	}
	e, err := s.open(r.Context())
	if err != nil {
		return err
	}
	ctx, stop := e.While(r.Context())
	defer stop()
	out := newFlushed(w, nil)
	isAnswered := false
	err = e.Stats(ctx, s.info.Name, once, func(reading engine.Stats) error {
		if !isAnswered {
			isAnswered = true
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "no-store")
		}
		return json.NewEncoder(out).Encode(reading)
	})
	if err == nil || !isAnswered {
		return err
	}
	status := statusOf(s.doing(), err).Status()
	if r.Context().Err() != nil {
		status = newStatus(http.StatusServiceUnavailable, "ServiceUnavailable", reason(r.Context(), err)).Status()
	}
	status.Kind, status.APIVersion = "Status", "v1"
	_ = json.NewEncoder(out).Encode(status) // the client may have left
	return nil
}
