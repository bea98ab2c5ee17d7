package dockersim

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// eventsEndpoint is the one endpoint whose calls do not end.
const eventsEndpoint = "GET /events"

func (e *Engine) servePing(w http.ResponseWriter, _ request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "OK")
	return nil
}

func (e *Engine) serveVersion(w http.ResponseWriter, _ request) error {
	e.mu.Lock()
	answer := map[string]any{
		"Version": e.version, "ApiVersion": e.apiVersion, "MinAPIVersion": "1.12",
		"Os": "linux", "Arch": "amd64",
	}
	e.mu.Unlock()
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (e *Engine) serveInfo(w http.ResponseWriter, _ request) error {
	e.mu.Lock()
	answer := map[string]any{
		"ID": "SIMU:LATE", "Name": "dockersim", "Driver": "overlay2",
		"Containers": len(e.containers), "Images": len(e.images),
		"ServerVersion": e.version, "OSType": "linux", "Architecture": "x86_64",
		"SystemTime": e.now().Format(time.RFC3339Nano),
	}
	e.mu.Unlock()
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (e *Engine) serveEvents(w http.ResponseWriter, r request) error {
	since, err := parseTimestamp(r.URL.Query().Get("since"))
	if err != nil {
		return err
	}
	until, err := parseTimestamp(r.URL.Query().Get("until"))
	if err != nil {
		return err
	}
	wanted, err := eventFilter(r.URL.Query().Get("filters"))
	if err != nil {
		return err
	}
	stream := e.events.subscribe(since, until, wanted)
	defer e.events.unsubscribe(stream)

	var expired <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(until.Sub(e.Now()))
		defer timer.Stop()
		expired = timer.C
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	out := &eventWriter{encoder: json.NewEncoder(w), control: http.NewResponseController(w)}
	out.write(nil)
	for {
		select {
		case <-stream.ready:
			if !e.faults.awaitThaw(r.Context()) || !out.write(e.events.drain(stream)) {
				return nil
			}
		case <-expired:
			out.write(e.events.drain(stream))
			return nil
		case <-stream.closed:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
}

// eventWriter sends events at once.
type eventWriter struct {
	encoder *json.Encoder
	control *http.ResponseController
}

// write returns false when the client has left.
func (o *eventWriter) write(messages []message) bool {
	for _, m := range messages {
		if o.encoder.Encode(m) != nil {
			return false
		}
	}
	return o.control.Flush() == nil
}

// parseTimestamp reads seconds with an optional fraction, as clients send them.
func parseTimestamp(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	seconds, fraction, _ := strings.Cut(text, ".")
	sec, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, badRequest("invalid timestamp %q", text)
	}
	fraction = (fraction + "000000000")[:9]
	nano, err := strconv.ParseInt(fraction, 10, 64)
	if err != nil {
		return time.Time{}, badRequest("invalid timestamp %q", text)
	}
	return time.Unix(sec, nano), nil
}

// eventFilter understands the filters type and event; others are ignored.
func eventFilter(text string) (func(message) bool, error) {
	filters := make(map[string]map[string]bool)
	if text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			return nil, badRequest("invalid filter: %v", err)
		}
	}
	types, actions := filters["type"], filters["event"]
	return func(m message) bool {
		return (len(types) == 0 || types[m.Type]) && (len(actions) == 0 || actions[m.Action])
	}, nil
}
