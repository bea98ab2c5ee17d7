package dockersim

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// frames writes one stream of multiplexed output, as dockerd does: a header precedes
// each line.
type frames struct {
	to     io.Writer
	stream byte
}

// Write implements io.Writer.
func (f frames) Write(p []byte) (int, error) {
	var framed []byte
	for line := range strings.Lines(string(p)) {
		header := [8]byte{f.stream}
		binary.BigEndian.PutUint32(header[4:], uint32(len(line))) //nolint:gosec // a line of a test
		framed = append(append(framed, header[:]...), line...)
	}
	if _, err := f.to.Write(framed); err != nil {
		return 0, err
	}
	return len(p), nil
}

// copyOutput writes the output of a process as dockerd does.
func copyOutput(from engine.Output, to io.Writer, hasTerminal bool) error {
	if hasTerminal {
		return from.CopyTo(to, nil)
	}
	return from.CopyTo(frames{to, memory.Stdout}, frames{to, memory.Stderr})
}

// flushing sends each write at once.
type flushing struct{ http.ResponseWriter }

// Write implements io.Writer.
func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	_ = http.NewResponseController(f.ResponseWriter).Flush()
	return n, err
}

func (e *Engine) serveContainerLogs(w http.ResponseWriter, r request) error {
	c, err := e.Container(r.name)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	opts := engine.LogOptions{
		Stdout: r.flag("stdout"), Stderr: r.flag("stderr"), Follow: r.flag("follow"), Timestamps: r.flag("timestamps"),
	}
	if n, err := strconv.ParseInt(query.Get("tail"), 10, 64); err == nil {
		opts.Tail = &n
	}
	if since := query.Get("since"); since != "" {
		seconds, nanos, _ := strings.Cut(since, ".")
		s, _ := strconv.ParseInt(seconds, 10, 64)
		n, _ := strconv.ParseInt(nanos, 10, 64)
		opts.Since = time.Unix(s, n)
	}
	conn := e.Dial()
	defer func() { _ = conn.Close() }()
	log, err := conn.Log(r.Context(), c.ID, opts)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	if err := copyOutput(log, flushing{w}, c.Spec.TTY); err != nil {
		panic(http.ErrAbortHandler) //nolint:forbidigo // the connection breaks, as that of an engine that ends
	}
	return nil
}

// hijacked is a connection of raw bytes to a process.
func hijacked(w http.ResponseWriter, t engine.Terminal, hasTerminal bool) error {
	defer func() { _ = t.Close() }()
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return fmt.Errorf("take over the connection: %w", err)
	}
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	if err != nil {
		return nil //nolint:nilerr // the client has left
	}
	go func() {
		_, _ = io.Copy(t, buffered)
		_ = t.CloseWrite()
		if hasTerminal {
			_ = conn.Close() // dockerd ends the output of a terminal with its input
		}
	}()
	_ = copyOutput(t, conn, hasTerminal)
	return nil
}

func (e *Engine) serveContainerAttach(w http.ResponseWriter, r request) error {
	c, err := e.Container(r.name)
	if err != nil {
		return err
	}
	t, err := e.Dial().Attach(context.Background(), c.ID, engine.AttachOptions{Stdin: r.flag("stdin"), Stdout: r.flag("stdout"), Stderr: r.flag("stderr")})
	if err != nil {
		return err
	}
	if c.Spec.TTY {
		e.terminals.Store(c.ID, t)
	}
	return hijacked(w, t, c.Spec.TTY)
}

// execution is a command that a client created.
type execution struct {
	container string
	opts      engine.ExecOptions
	terminal  engine.Terminal
}

func (e *Engine) serveExecCreate(w http.ResponseWriter, r request) error {
	var wire struct {
		Cmd                                          []string
		Tty, AttachStdin, AttachStdout, AttachStderr bool
	}
	if err := readJSON(r, &wire); err != nil {
		return err
	}
	c, err := e.Container(r.name)
	if err != nil {
		return err
	}
	if err := e.ExecRefusal(c.ID); err != nil {
		return err
	}
	if len(wire.Cmd) == 0 {
		return badRequest("No exec command specified")
	}
	id := fmt.Sprintf("%064x", e.execs.next.Add(1))
	e.execs.Store(id, &execution{container: c.ID, opts: engine.ExecOptions{
		Command: wire.Cmd, TTY: wire.Tty, Stdin: wire.AttachStdin, Stdout: wire.AttachStdout, Stderr: wire.AttachStderr,
	}})
	writeJSON(w, http.StatusCreated, map[string]string{"Id": id})
	return nil
}

func (e *Engine) execution(id string) (*execution, error) {
	if found, ok := e.execs.Load(id); ok {
		return found.(*execution), nil
	}
	return nil, &apiError{http.StatusNotFound, "No such exec instance: " + id}
}

func (e *Engine) serveExecStart(w http.ResponseWriter, r request) error {
	x, err := e.execution(r.name)
	if err != nil {
		return err
	}
	var wire struct{ ConsoleSize *[2]uint16 }
	if err := readJSON(r, &wire); err != nil {
		return err
	}
	if wire.ConsoleSize != nil {
		x.opts.Size = engine.TerminalSize{Height: wire.ConsoleSize[0], Width: wire.ConsoleSize[1]}
	}
	t, err := e.Dial().Exec(context.Background(), x.container, x.opts)
	if err != nil {
		return err
	}
	started := *x
	started.terminal = t
	e.execs.Store(r.name, &started)
	return hijacked(w, t, x.opts.TTY)
}

func (e *Engine) serveExecInspect(w http.ResponseWriter, r request) error {
	x, err := e.execution(r.name)
	if err != nil {
		return err
	}
	answer := map[string]any{"ID": r.name, "ContainerID": x.container, "Running": false, "ExitCode": nil}
	if x.terminal != nil {
		ended, cancel := context.WithTimeout(r.Context(), time.Millisecond)
		defer cancel()
		if code, err := x.terminal.Wait(ended); err == nil {
			answer["ExitCode"] = code
		} else {
			answer["Running"] = true
		}
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (e *Engine) serveExecResize(w http.ResponseWriter, r request) error {
	x, err := e.execution(r.name)
	if err != nil {
		return err
	}
	if x.terminal == nil {
		return badRequest("exec " + r.name + " was not started")
	}
	return resize(w, r, x.terminal)
}

func (e *Engine) serveContainerResize(w http.ResponseWriter, r request) error {
	c, err := e.Container(r.name)
	if err != nil {
		return err
	}
	if t, ok := e.terminals.Load(c.ID); ok {
		return resize(w, r, t.(engine.Terminal))
	}
	return badRequest("container " + c.ID + " has no terminal")
}

func resize(w http.ResponseWriter, r request, t engine.Terminal) error {
	height, _ := strconv.ParseUint(r.URL.Query().Get("h"), 10, 16)
	width, _ := strconv.ParseUint(r.URL.Query().Get("w"), 10, 16)
	if err := t.Resize(r.Context(), engine.TerminalSize{Height: uint16(height), Width: uint16(width)}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// serveContainerWait answers when the container does not run.
func (e *Engine) serveContainerWait(w http.ResponseWriter, r request) error {
	c, err := e.Container(r.name)
	for err == nil && c.Running {
		select {
		case <-time.After(time.Millisecond):
		case <-r.Context().Done():
			return nil
		}
		c, err = e.Container(c.ID)
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"StatusCode": c.ExitCode})
	return nil
}

func (e *Engine) serveContainerStats(w http.ResponseWriter, r request) error {
	c, err := e.Container(r.name)
	if err != nil {
		return err
	}
	conn := e.Dial()
	defer func() { _ = conn.Close() }()
	encoder := json.NewEncoder(flushing{w})
	var previous engine.Stats
	once := !r.flag("stream")
	err = conn.Stats(r.Context(), c.ID, once, func(s engine.Stats) error {
		if once {
			previous.Time = s.Time.Add(-time.Second)
			previous.CPU.UsageCoreNanoSeconds = s.CPU.UsageCoreNanoSeconds - min(s.CPU.UsageCoreNanoSeconds, s.CPU.UsageNanoCores)
		}
		defer func() { previous = s }()
		return encoder.Encode(wireStats(s, previous))
	})
	if err != nil {
		panic(http.ErrAbortHandler) //nolint:forbidigo // a break, or a client that has left
	}
	return nil
}

func wireStats(s, previous engine.Stats) map[string]any {
	cpu := func(s engine.Stats) map[string]any {
		return map[string]any{"cpu_usage": map[string]any{"total_usage": s.CPU.UsageCoreNanoSeconds}, "online_cpus": s.CPU.OnlineCores}
	}
	return map[string]any{
		"read": s.Time, "preread": previous.Time, "cpu_stats": cpu(s), "precpu_stats": cpu(previous),
		"memory_stats": map[string]any{"usage": s.Memory.UsageBytes, "limit": s.Memory.LimitBytes},
		"pids_stats":   map[string]any{"current": s.PIDs},
	}
}
