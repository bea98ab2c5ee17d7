package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
)

// ErrClosed reports that QEMU has closed the connection, as it does at its end.
var ErrClosed = errors.New("QEMU closed its monitor")

// Event is a notification of QEMU.
type Event struct {
	// Name is SHUTDOWN, STOP or BLOCK_IO_ERROR, for example.
	Name string `json:"event"`
	// Data has the fields of the events that rdd uses.
	Data struct {
		// Reason is the reason of a SHUTDOWN, such as guest-reset or host-signal.
		Reason string `json:"reason"`
		// NoSpace reports whether a full disk caused a BLOCK_IO_ERROR.
		NoSpace bool `json:"nospace"`
	} `json:"data"`
}

// Monitor is a connection to QEMU's machine protocol. QEMU serves one connection at a
// time: a second one waits for its greeting until the first is closed.
type Monitor struct {
	conn net.Conn
	// turn is held by the command that waits for an answer.
	turn    chan struct{}
	answers chan answer
	closed  chan struct{}
	once    sync.Once
	next    int
}

type answer struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Desc string `json:"desc"`
	} `json:"error"`
	ID int `json:"id"`
}

// Open connects, and returns when QEMU accepts commands. One goroutine calls events
// for each notification. events must return soon, and may be nil.
func Open(ctx context.Context, socket string, events func(Event)) (*Monitor, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("connect to QEMU's monitor: %w", err)
	}
	m := &Monitor{
		conn: conn, turn: make(chan struct{}, 1),
		answers: make(chan answer, 1), closed: make(chan struct{}),
	}
	greeted := make(chan struct{})
	go m.read(greeted, events)
	select {
	case <-greeted:
	case <-m.closed:
		return nil, fmt.Errorf("wait for QEMU's greeting: %w", ErrClosed)
	case <-ctx.Done():
		m.Close()
		return nil, fmt.Errorf("wait for QEMU's greeting: %w", ctx.Err())
	}
	if err := m.Do(ctx, "qmp_capabilities", nil); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Closed is closed when the connection is.
func (m *Monitor) Closed() <-chan struct{} { return m.closed }

// Close closes the connection. The machine keeps running.
func (m *Monitor) Close() {
	m.once.Do(func() {
		close(m.closed)
		m.conn.Close()
	})
}

// read reads from QEMU until the connection is closed.
func (m *Monitor) read(greeted chan<- struct{}, events func(Event)) {
	defer m.Close()
	lines := bufio.NewScanner(m.conn)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var kind struct {
			Greeting json.RawMessage `json:"QMP"`
			Event    string          `json:"event"`
		}
		if json.Unmarshal(lines.Bytes(), &kind) != nil {
			continue
		}
		switch {
		case kind.Greeting != nil:
			if greeted != nil {
				close(greeted)
				greeted = nil
			}
		case kind.Event != "":
			var e Event
			if json.Unmarshal(lines.Bytes(), &e) == nil && events != nil {
				events(e)
			}
		default:
			m.deliver(lines.Bytes())
		}
	}
}

// deliver sends an answer to the waiting command. It replaces the answer to a command
// that has timed out.
func (m *Monitor) deliver(line []byte) {
	var a answer
	if json.Unmarshal(line, &a) != nil {
		return
	}
	select {
	case <-m.answers:
	default:
	}
	m.answers <- a
}

// Do executes a command without arguments and decodes its result into into, unless
// that is nil.
func (m *Monitor) Do(ctx context.Context, command string, into any) error {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return fmt.Errorf("QMP %s: %w", command, ctx.Err())
	}
	m.next++
	request, err := json.Marshal(map[string]any{"execute": command, "id": m.next})
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	if err := m.conn.SetWriteDeadline(deadline); err != nil {
		return fmt.Errorf("QMP %s: %w", command, err)
	}
	if _, err := m.conn.Write(append(request, '\n')); err != nil {
		return fmt.Errorf("QMP %s: %w", command, err)
	}
	for {
		select {
		case a := <-m.answers:
			if a.ID == m.next {
				return a.decode(command, into)
			}
		case <-m.closed:
			return fmt.Errorf("QMP %s: %w", command, ErrClosed)
		case <-ctx.Done():
			return fmt.Errorf("QMP %s: %w", command, ctx.Err())
		}
	}
}

func (a answer) decode(command string, into any) error {
	if a.Error != nil {
		return fmt.Errorf("QMP %s: %s", command, a.Error.Desc)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(a.Return, into); err != nil {
		return fmt.Errorf("QMP %s: %w", command, err)
	}
	return nil
}

// The states of a machine that rdd distinguishes; see RunState in
// https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html.
const (
	StateRunning = "running"
	StatePaused  = "paused"
	StateIOError = "io-error"
)

// State returns the machine's state.
func (m *Monitor) State(ctx context.Context) (string, error) {
	var status struct {
		Status string `json:"status"`
	}
	err := m.Do(ctx, "query-status", &status)
	return status.Status, err
}

// Continue resumes a paused machine.
func (m *Monitor) Continue(ctx context.Context) error { return m.Do(ctx, "cont", nil) }

// PowerDown presses the machine's power button.
func (m *Monitor) PowerDown(ctx context.Context) error { return m.Do(ctx, "system_powerdown", nil) }
