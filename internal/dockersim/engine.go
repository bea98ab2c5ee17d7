package dockersim

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Engine is a simulated Docker Engine. All methods are safe for concurrent use.
type Engine struct {
	socket string
	events *broker
	faults faults
	calls  calls

	life   sync.Mutex // guards server
	server *http.Server

	mu         sync.Mutex // guards what follows: the model
	images     map[string]*image
	tags       map[string]string // reference to image ID
	children   map[string]int    // image ID to the number of images built on it
	containers map[string]*container
	names      map[string]string // name to container ID
	volumes    map[string]*volume
	serial     uint64
	offset     time.Duration
	version    string
	apiVersion string
}

// New starts an engine that listens on a unix socket at this path, which must
// be shorter than 108 bytes. A socket that is left there is replaced.
func New(socket string) (*Engine, error) {
	e := &Engine{
		socket:     socket,
		events:     newBroker(),
		images:     make(map[string]*image),
		tags:       make(map[string]string),
		children:   make(map[string]int),
		containers: make(map[string]*container),
		names:      make(map[string]string),
		volumes:    make(map[string]*volume),
		version:    "20.10.24+sim",
		apiVersion: "1.41",
	}
	e.faults.thawed = closedChannel()
	if err := e.Accept(); err != nil {
		return nil, err
	}
	return e, nil
}

// Endpoint is the engine's address for a client: unix:///path.
func (e *Engine) Endpoint() string { return "unix://" + e.socket }

// Socket is the path of the engine's socket.
func (e *Engine) Socket() string { return e.socket }

// Close ends the engine: streams end, the socket goes.
func (e *Engine) Close() error { return e.Refuse() }

// Refuse breaks all connections and refuses new ones, as an engine does that
// has died or whose socket is no longer forwarded. The model lives on, and so
// do the events that it remembers: see Restart for an engine that forgets.
func (e *Engine) Refuse() error {
	e.life.Lock()
	defer e.life.Unlock()
	if e.server == nil {
		return nil
	}
	err := e.server.Close()
	e.server = nil
	e.calls.resetConns()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop the simulated engine: %w", err)
	}
	return nil
}

// Accept listens again after Refuse.
func (e *Engine) Accept() error {
	e.life.Lock()
	defer e.life.Unlock()
	if e.server != nil {
		return nil
	}
	if err := os.Remove(e.socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace the simulated engine's socket: %w", err)
	}
	listener, err := net.Listen("unix", e.socket)
	if err != nil {
		return fmt.Errorf("start the simulated engine: %w", err)
	}
	e.server = &http.Server{Handler: e, ConnState: e.calls.connState, ReadHeaderTimeout: time.Minute}
	go func(server *http.Server) { _ = server.Serve(listener) }(e.server)
	return nil
}

// Restart is an engine that is killed and started again: connections break,
// the remembered events are forgotten, and containers that ran have exited.
// While it is down the functions are called, for changes that nobody saw.
func (e *Engine) Restart(whileDown ...func()) error {
	if err := e.Refuse(); err != nil {
		return err
	}
	e.mu.Lock()
	for _, c := range e.containers {
		if c.running {
			c.exit(e.now(), exitKilled)
		}
	}
	e.mu.Unlock()
	for _, change := range whileDown {
		change()
	}
	e.events.forget()
	return e.Accept()
}

// SetClockOffset sets how far the engine's clock is ahead of the host's.
func (e *Engine) SetClockOffset(offset time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.offset = offset
}

// Now is the time by the engine's clock.
func (e *Engine) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now()
}

func (e *Engine) now() time.Time { return time.Now().Add(e.offset).UTC() }

// SetVersion upgrades or downgrades the engine, for example to 28.0.0 with
// API 1.48. Requests for a newer API are refused.
func (e *Engine) SetVersion(version, apiVersion string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.version, e.apiVersion = version, apiVersion
}

// nextID makes up an ID of 64 hex digits. It is the same in each run.
func (e *Engine) nextID(kind string) string {
	e.serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, e.serial))
	return hex.EncodeToString(sum[:])
}

func closedChannel() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}
