//go:build linux

package dockerd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Starts calls sink with each start of a container since a time, until the connection
// breaks. The time is the engine's. opened is called when the engine has accepted the
// connection.
func (a *API) Starts(ctx context.Context, since time.Time, opened func(), sink func(id string, at time.Time)) error {
	query := url.Values{
		"filters": {`{"type":["container"],"event":["start"]}`},
		"since":   {fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/events?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("follow the events of the engine: %w", err)
	}
	response, err := a.client.Do(request) //nolint:gosec // it always dials one socket
	if err != nil {
		return fmt.Errorf("follow the events of the engine: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("follow the events of the engine: %w", &AnswerError{response.StatusCode, strconv.Itoa(response.StatusCode)})
	}
	opened()
	for decoder := json.NewDecoder(response.Body); ; {
		var event struct {
			Actor    struct{ ID string }
			TimeNano int64 `json:"timeNano"`
		}
		if err := decoder.Decode(&event); err != nil {
			return fmt.Errorf("read the events of the engine: %w", err)
		}
		sink(event.Actor.ID, time.Unix(0, event.TimeNano))
	}
}
