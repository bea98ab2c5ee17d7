package dockersim

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"
)

// eventsEndpoint is the one endpoint whose calls do not end.
const eventsEndpoint = "GET /events"

func (e *Engine) servePing(w http.ResponseWriter, _ request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "OK")
	return nil
}

func (e *Engine) serveVersion(w http.ResponseWriter, _ request) error {
	version, api := e.Version()
	writeJSON(w, http.StatusOK, map[string]any{
		"Version": version, "ApiVersion": api, "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64",
	})
	return nil
}

func (e *Engine) serveInfo(w http.ResponseWriter, _ request) error {
	version, _ := e.Version()
	writeJSON(w, http.StatusOK, map[string]any{
		"ID": "SIMU:LATE", "Name": "dockersim", "Driver": "overlay2",
		"Containers": len(e.ContainerIDs()), "Images": len(e.ImageIDs()),
		"ServerVersion": version, "OSType": "linux", "Architecture": "x86_64",
		"SystemTime": e.Now().Format(time.RFC3339Nano),
	})
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
	stream := e.Subscribe(since, until, wanted)
	defer stream.Close()

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
		case <-stream.Ready():
			if !e.faults.awaitThaw(r.Context()) {
				return nil
			}
			if messages, ended := stream.Take(); !out.write(messages) || ended != nil {
				return nil
			}
		case <-expired:
			messages, _ := stream.Take()
			out.write(messages)
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

// wireEvent is an event with the old form of its fields, which dockerd still sends
// beside the new one.
type wireEvent struct {
	Status string `json:"status,omitempty"`
	ID     string `json:"id,omitempty"`
	From   string `json:"from,omitempty"`
	events.Message
}

// write returns false when the client has left.
func (o *eventWriter) write(messages []events.Message) bool {
	for _, m := range messages {
		wire := wireEvent{Message: m}
		if m.Type == events.ContainerEventType || m.Type == events.ImageEventType {
			wire.Status, wire.ID = string(m.Action), m.Actor.ID
		}
		if m.Type == events.ContainerEventType {
			wire.From = m.Actor.Attributes["image"]
		}
		if o.encoder.Encode(wire) != nil {
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
		return time.Time{}, badRequest("invalid timestamp " + text)
	}
	fraction = (fraction + "000000000")[:9]
	nano, err := strconv.ParseInt(fraction, 10, 64)
	if err != nil {
		return time.Time{}, badRequest("invalid timestamp " + text)
	}
	return time.Unix(sec, nano), nil
}

// eventFilter understands the filters type and event; others are ignored. As in dockerd,
// the actions are beginnings if one of them is that of an action with more words.
func eventFilter(text string) (func(events.Message) bool, error) {
	filters := make(map[string]map[string]bool)
	if text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			return nil, badRequest("invalid filter: " + err.Error())
		}
	}
	types, actions := filters["type"], filters["event"]
	hasWords := actions["health_status"] || actions["exec_create"] || actions["exec_start"]
	return func(m events.Message) bool {
		if len(types) > 0 && !types[string(m.Type)] {
			return false
		}
		if len(actions) == 0 || actions[string(m.Action)] {
			return true
		}
		return hasWords && beginsWith(string(m.Action), actions)
	}, nil
}

func beginsWith(action string, beginnings map[string]bool) bool {
	for begin := range beginnings {
		if strings.HasPrefix(action, begin) {
			return true
		}
	}
	return false
}
