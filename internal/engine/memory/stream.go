package memory

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// stream returns a context that ends with the connection and with the engine, too.
func (c *conn) stream(ctx context.Context) (context.Context, context.CancelCauseFunc, error) {
	if err := c.ready(ctx); err != nil {
		return nil, nil, err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer c.engine.lock()()
	context.AfterFunc(c.open, func() { end(errClosed) })
	context.AfterFunc(c.engine.life, func() { end(errStreamEnded) })
	return ctx, end, nil
}

var errStreamEnded = fmt.Errorf("the engine in memory ended the stream: %w", engine.ErrUnreachable)

// Log implements engine.Streamer.
func (c *conn) Log(ctx context.Context, id string, opts engine.LogOptions) (engine.Output, error) {
	ctx, end, err := c.stream(ctx)
	if err != nil {
		return nil, err
	}
	return orEnd(end)(c.engine.openLog(ctx, end, id, opts))
}

// orEnd ends a stream that could not be opened.
func orEnd(end context.CancelCauseFunc) func(*logReader, error) (engine.Output, error) {
	return func(r *logReader, err error) (engine.Output, error) {
		if err != nil {
			end(err)
			return nil, err
		}
		return r, nil
	}
}

// ExecRefusal returns the error with which the engine would refuse an exec in a
// container; nil when it would not.
func (e *Engine) ExecRefusal(ref string) error {
	_, err := e.execRun(ref)
	return err
}

// execRun returns the run of a container in which a command can be executed.
func (e *Engine) execRun(ref string) (*run, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.findContainer(ref)
	switch {
	case err != nil:
		return nil, err
	case !c.Running:
		return nil, errNotRunning(c)
	case c.Paused:
		return nil, conflict("Container %s is paused, unpause the container before exec", c.ID)
	case c.Restarting:
		return nil, conflict("Container %s is restarting, wait until the container is running", c.ID)
	}
	return c.run, nil
}

// Exec implements engine.Streamer.
func (c *conn) Exec(ctx context.Context, id string, opts engine.ExecOptions) (engine.Terminal, error) {
	r, err := c.engine.execRun(id)
	if err != nil {
		return nil, err
	}
	ctx, end, err := c.stream(ctx)
	if err != nil {
		return nil, err
	}
	p := newProcess(r.ctx, opts.Stdin)
	p.setSize(opts.Size)
	t := &execTerminal{process: p, ctx: ctx, end: end, chunks: make(chan chunk), hasTerminal: opts.TTY}
	writer := func(wanted bool, stream int) io.Writer {
		if !wanted {
			return io.Discard
		}
		return execOutput{t, stream}
	}
	go p.execute(opts.Command, writer(opts.Stdout, Stdout), writer(opts.Stderr && !opts.TTY, Stderr), opts.TTY)
	return t, nil
}

// chunk is what a command wrote at once.
type chunk struct {
	stream int
	text   []byte
}

// execTerminal connects to a command. It implements engine.Terminal.
type execTerminal struct {
	process *process
	ctx     context.Context
	end     context.CancelCauseFunc
	chunks  chan chunk
	// hasTerminal is set if the input is a terminal, which has no end.
	hasTerminal bool
}

type execOutput struct {
	terminal *execTerminal
	stream   int
}

// Write implements io.Writer. What a command writes after its client has left is lost.
func (o execOutput) Write(p []byte) (int, error) {
	t := o.terminal
	select {
	case t.chunks <- chunk{o.stream, append([]byte(nil), p...)}:
	case <-t.ctx.Done():
	case <-t.process.ctx.Done():
		return 0, errRunEnded
	}
	return len(p), nil
}

// CopyTo implements engine.Output.
func (t *execTerminal) CopyTo(stdout, stderr io.Writer) error {
	for {
		select {
		case c := <-t.chunks:
			to := stdout
			if c.stream == Stderr {
				to = stderr
			}
			if to == nil {
				continue
			}
			if _, err := to.Write(c.text); err != nil {
				return err
			}
		case <-t.process.exited:
			return nil
		case <-t.ctx.Done():
			return context.Cause(t.ctx)
		}
	}
}

func (t *execTerminal) Write(p []byte) (int, error) { return t.process.stdin.Write(p) }

// CloseWrite implements engine.Terminal.
func (t *execTerminal) CloseWrite() error {
	if t.hasTerminal {
		return nil
	}
	return t.process.stdin.Close()
}

// Resize implements engine.Terminal.
func (t *execTerminal) Resize(_ context.Context, size engine.TerminalSize) error {
	t.process.setSize(size)
	return nil
}

// Wait implements engine.Terminal.
func (t *execTerminal) Wait(ctx context.Context) (int, error) { return t.process.wait(ctx) }

// Close implements engine.Output. The command continues, without input.
func (t *execTerminal) Close() error {
	t.end(context.Canceled)
	return t.process.stdin.Close()
}

// Attach implements engine.Streamer.
func (c *conn) Attach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Terminal, error) {
	r, err := c.engine.execRun(id)
	if err != nil {
		return nil, err
	}
	ctx, end, err := c.stream(ctx)
	if err != nil {
		return nil, err
	}
	none := int64(0)
	log, err := c.engine.openLog(ctx, end, id, engine.LogOptions{Stdout: opts.Stdout, Stderr: opts.Stderr, Follow: true, Tail: &none})
	if err != nil {
		end(err)
		return nil, err
	}
	return &attachTerminal{logReader: log, run: r}, nil
}

// attachTerminal connects to a main process. It implements engine.Terminal.
type attachTerminal struct {
	*logReader
	run *run
}

func (t *attachTerminal) Write(p []byte) (int, error) { return t.run.main.stdin.Write(p) }

// CloseWrite implements engine.Terminal. Containers in memory keep their input, as those
// of docker run --detach --interactive do.
func (t *attachTerminal) CloseWrite() error { return nil }

// Resize implements engine.Terminal.
func (t *attachTerminal) Resize(_ context.Context, size engine.TerminalSize) error {
	t.run.main.setSize(size)
	return nil
}

// Wait implements engine.Terminal.
func (t *attachTerminal) Wait(ctx context.Context) (int, error) {
	select {
	case <-t.run.ctx.Done():
		t.engine.mu.Lock()
		defer t.engine.mu.Unlock()
		return t.container.ExitCode, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// What each container in memory uses.
const (
	statsMemory = 1 << 20
	statsLimit  = 1 << 30
	statsCores  = 1_000_000 // nano cores
)

// Stats implements engine.Streamer. Each container uses the same.
func (c *conn) Stats(ctx context.Context, id string, once bool, sink func(engine.Stats) error) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	ctx, end, err := c.stream(ctx)
	if err != nil {
		return err
	}
	defer end(context.Canceled)
	reading, r, err := c.engine.stats(id)
	if err != nil {
		return err
	}
	for {
		if err := sink(reading); err != nil || once {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-r.ctx.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		now, same, err := c.engine.stats(id)
		if err != nil || same != r {
			return nil //nolint:nilerr // the container has ended
		}
		reading = now
	}
}

func (e *Engine) stats(ref string) (engine.Stats, *run, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.findContainer(ref)
	if err == nil && (!c.Running || c.Restarting) {
		err = errNotRunning(c)
	}
	if err != nil {
		return engine.Stats{}, nil, err
	}
	return engine.Stats{
		Time:   e.now(),
		CPU:    engine.CPUStats{UsageCoreNanoSeconds: uint64(e.now().Sub(c.Started).Seconds() * statsCores), UsageNanoCores: statsCores, OnlineCores: 1}, //nolint:gosec // it is positive
		Memory: engine.MemoryStats{UsageBytes: statsMemory, LimitBytes: statsLimit},
		PIDs:   1,
	}, c.run, nil
}
