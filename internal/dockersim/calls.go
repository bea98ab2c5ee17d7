package dockersim

import (
	"maps"
	"net"
	"net/http"
	"sync"
)

// calls counts the requests of clients.
type calls struct {
	mu       sync.Mutex
	counts   map[string]int
	inFlight int
	peak     int
	conns    map[net.Conn]struct{}
}

// Calls is how often an endpoint was called, such as
// "GET /images/{name}/json", "GET /events" or "GET /_ping" (which includes
// HEAD). The variable part is {name} for images and volumes, {id} for
// containers.
func (e *Engine) Calls(endpoint string) int {
	e.calls.mu.Lock()
	defer e.calls.mu.Unlock()
	return e.calls.counts[endpoint]
}

// AllCalls is how often each endpoint was called.
func (e *Engine) AllCalls() map[string]int {
	e.calls.mu.Lock()
	defer e.calls.mu.Unlock()
	return maps.Clone(e.calls.counts)
}

// ResetCalls sets all counts to zero, the peak too.
func (e *Engine) ResetCalls() {
	e.calls.mu.Lock()
	defer e.calls.mu.Unlock()
	e.calls.counts = nil
	e.calls.peak = e.calls.inFlight
}

// PeakInFlight is the highest number of calls that were under way at once,
// event streams not counted.
func (e *Engine) PeakInFlight() int {
	e.calls.mu.Lock()
	defer e.calls.mu.Unlock()
	return e.calls.peak
}

// Connections is the number of open connections, event streams included.
func (e *Engine) Connections() int {
	e.calls.mu.Lock()
	defer e.calls.mu.Unlock()
	return len(e.calls.conns)
}

// begin counts a call; what it returns ends it.
func (c *calls) begin(endpoint string) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = make(map[string]int)
	}
	c.counts[endpoint]++
	if endpoint == eventsEndpoint {
		return func() {}
	}
	c.inFlight++
	c.peak = max(c.peak, c.inFlight)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inFlight--
	}
}

func (c *calls) connState(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if c.conns == nil {
			c.conns = make(map[net.Conn]struct{})
		}
		c.conns[conn] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(c.conns, conn)
	default:
	}
}

func (c *calls) resetConns() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = nil
}
