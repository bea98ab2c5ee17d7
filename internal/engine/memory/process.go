package memory

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// run is one run of a container, from its start to its end.
type run struct {
	// ctx ends with the run, and ends its processes.
	ctx  context.Context
	end  context.CancelFunc
	main *process
}

// process is a main process, or a command of an exec.
type process struct {
	ctx    context.Context
	input  *io.PipeReader
	stdin  *io.PipeWriter
	exited chan struct{} // closed when code is set

	mu   sync.Mutex // guards what follows
	size engine.TerminalSize
	code int
}

func newProcess(ctx context.Context, hasInput bool) *process {
	p := &process{ctx: ctx, exited: make(chan struct{})}
	p.input, p.stdin = io.Pipe()
	if !hasInput {
		_ = p.stdin.Close()
	}
	return p
}

func (p *process) setSize(size engine.TerminalSize) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = size
}

func (p *process) getSize() engine.TerminalSize {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size
}

// execute runs a command to its end.
func (p *process) execute(command []string, stdout, stderr io.Writer, hasTerminal bool) int {
	stop := context.AfterFunc(p.ctx, func() { _ = p.input.CloseWithError(io.EOF) })
	defer stop()
	s := &shell{ctx: p.ctx, stdin: bufio.NewReader(p.input), stdout: stdout, stderr: stderr}
	if hasTerminal {
		s.size, s.stderr = p.getSize, stdout
	}
	code := s.run(command)
	_ = p.input.Close()
	p.mu.Lock()
	p.code = code
	p.mu.Unlock()
	close(p.exited)
	return code
}

func (p *process) wait(ctx context.Context) (int, error) {
	select {
	case <-p.exited:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.code, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// startRun begins a run of a container, and its main process, if that is a script.
func (e *Engine) startRun(c *Container) {
	r := &run{}
	r.ctx, r.end = context.WithCancel(context.Background())
	r.main = newProcess(r.ctx, c.Spec.OpenStdin)
	c.run = r
	if !c.Spec.Runs {
		return
	}
	id, spec := c.ID, c.Spec
	go func() {
		code := r.main.execute(spec.Command, runLog{e, c, r, Stdout}, runLog{e, c, r, Stderr}, spec.TTY)
		_ = e.withContainer(id, func(c *Container) error {
			if c.run == r && c.Running {
				e.die(c, code)
			}
			return nil
		})
	}()
}

// endRun ends the processes of a container that does not run.
func (c *Container) endRun() {
	if c.run != nil {
		c.run.end()
	}
	c.log.notify()
}

// runLog writes what a run writes to the log of its container.
type runLog struct {
	engine    *Engine
	container *Container
	run       *run
	stream    int
}

var errRunEnded = errors.New("the container has ended")

// Write implements io.Writer.
func (l runLog) Write(p []byte) (int, error) {
	l.engine.mu.Lock()
	defer l.engine.mu.Unlock()
	if l.run.ctx.Err() != nil {
		return 0, errRunEnded
	}
	l.container.log.write(l.engine.now(), l.stream, p)
	return len(p), nil
}
