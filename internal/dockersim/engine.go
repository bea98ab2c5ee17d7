package dockersim

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/api/types/events"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// Engine is a simulated Docker Engine: a model, whose methods it has too, served
// over HTTP. All methods are safe for concurrent use.
type Engine struct {
	*memory.Engine
	socket string
	faults faults
	calls  calls
	execs  executions
	// terminals are those of attached clients, by the container's ID.
	terminals sync.Map

	life   sync.Mutex // guards server
	server *http.Server
}

// executions are the commands of exec, by ID.
type executions struct {
	sync.Map
	next atomic.Uint64
}

// ContainerSpec describes a container to create.
type ContainerSpec = memory.ContainerSpec

// PortBinding publishes a port of a container.
type PortBinding = memory.PortBinding

// ImageSpec describes an image to create.
type ImageSpec = memory.ImageSpec

// VolumeSpec describes a volume to create.
type VolumeSpec = memory.VolumeSpec

// New starts an engine that listens on a unix socket at this path, which must
// be shorter than 108 bytes. A socket that is left there is replaced.
func New(socket string) (*Engine, error) {
	e := &Engine{Engine: memory.New("dockersim"), socket: socket}
	e.SetEventCopies(func(m events.Message) int { return e.faults.copies(string(m.Type), string(m.Action)) })
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

// Close ends the engine: streams end, and the socket is removed.
func (e *Engine) Close() error { return e.Refuse() }

// Refuse breaks all connections and refuses new ones, as an engine does that
// has died or whose socket is no longer forwarded. The model stays, and so do the
// events that it remembers: Restart forgets them.
func (e *Engine) Refuse() error {
	e.life.Lock()
	defer e.life.Unlock()
	if e.server == nil {
		return nil
	}
	err := e.server.Close()
	e.server = nil
	e.CloseStreams() // the server does not close hijacked connections
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

// Restart kills the engine and starts it again: connections break, the remembered
// events are forgotten, and containers that ran have exited. The functions are called
// while it is down, for changes that no event reports.
func (e *Engine) Restart(whileDown ...func()) error {
	if err := e.Refuse(); err != nil {
		return err
	}
	e.Stop()
	for _, change := range whileDown {
		change()
	}
	e.ForgetEvents()
	return e.Accept()
}

func closedChannel() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}
