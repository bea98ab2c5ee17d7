package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// terminal is a connection to the streams of a process.
type terminal struct {
	output
	conn io.ReadWriteCloser
	// keepsInput is set when the end of the input must not reach the engine.
	keepsInput bool
	resize     func(context.Context, engine.TerminalSize) error
	wait       func(context.Context) (int, error)
}

func newTerminal(s stream, conn io.ReadWriteCloser, hasTerminal bool) *terminal {
	// The context ends the request that opened the connection, and not the connection.
	context.AfterFunc(s.ctx, func() { _ = conn.Close() })
	return &terminal{output: output{stream: s, body: conn, hasTerminal: hasTerminal}, conn: conn}
}

// Write implements engine.Terminal.
func (t *terminal) Write(p []byte) (int, error) {
	n, err := t.conn.Write(p)
	return n, t.failed(err)
}

// CloseWrite implements engine.Terminal.
func (t *terminal) CloseWrite() error {
	if t.keepsInput {
		return nil
	}
	half, ok := t.conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.New("the connection to the engine cannot end the standard input of a process alone")
	}
	return t.failed(half.CloseWrite())
}

// Resize implements engine.Terminal.
func (t *terminal) Resize(ctx context.Context, size engine.TerminalSize) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	// The engine refuses the size until the process has started, which takes a while
	// after the start was answered.
	const attempts = 10
	pauses := async.Backoff{Min: 10 * time.Millisecond, Max: 200 * time.Millisecond}
	for attempt := 1; ; attempt++ {
		err := t.resize(ctx, size)
		if err == nil || attempt == attempts {
			return t.failed(err)
		}
		select {
		case <-time.After(pauses.Delay(attempt)):
		case <-t.ctx.Done():
			return t.failed(err)
		}
	}
}

// Wait implements engine.Terminal.
func (t *terminal) Wait(ctx context.Context) (int, error) {
	code, err := t.wait(ctx)
	return code, t.failed(err)
}

// Exec implements engine.Streamer.
func (d *httpAPI) Exec(ctx context.Context, id string, opts engine.ExecOptions) (engine.Terminal, error) {
	return d.connect(ctx, func(s stream) (*terminal, error) { return d.exec(s, id, opts) })
}

// Attach implements engine.Streamer.
func (d *httpAPI) Attach(ctx context.Context, id string, opts engine.AttachOptions) (engine.Terminal, error) {
	return d.connect(ctx, func(s stream) (*terminal, error) { return d.attach(s, id, opts) })
}

func (d *httpAPI) connect(ctx context.Context, open func(stream) (*terminal, error)) (engine.Terminal, error) {
	s := d.newStream(ctx)
	t, err := open(s)
	if err != nil {
		err = s.failed(err)
		_ = s.Close()
		return nil, err
	}
	return t, nil
}

func (d *httpAPI) exec(s stream, id string, opts engine.ExecOptions) (*terminal, error) {
	cli, err := d.client(s.ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, openTimeout)
	defer cancel()
	created, err := cli.ExecCreate(ctx, id, client.ExecCreateOptions{
		Cmd: opts.Command, TTY: opts.TTY,
		AttachStdin: opts.Stdin, AttachStdout: opts.Stdout, AttachStderr: opts.Stderr && !opts.TTY,
		DetachKeys: detachKeys,
	})
	if err != nil {
		return nil, err
	}
	start := container.ExecStartRequest{Tty: opts.TTY}
	if size := opts.Size; opts.TTY && size != (engine.TerminalSize{}) {
		start.ConsoleSize = &[2]uint{uint(size.Height), uint(size.Width)}
	}
	conn, err := d.upgrade(s.ctx, cli, "/exec/"+created.ID+"/start", nil, start)
	if err != nil {
		return nil, err
	}
	t := newTerminal(s, conn, opts.TTY)
	// At the end of the input, the engine would end the output of a terminal, too.
	t.keepsInput = opts.TTY
	t.resize = func(ctx context.Context, size engine.TerminalSize) error {
		_, err := cli.ExecResize(ctx, created.ID, client.ExecResizeOptions{Height: uint(size.Height), Width: uint(size.Width)})
		return err
	}
	t.wait = func(ctx context.Context) (int, error) { return execExitCode(ctx, cli, created.ID) }
	return t, nil
}

// detachKeys is an unlikely sequence of keys. The default of the engine, ctrl-p and
// ctrl-q, would end the streams of a process that continues, and the engine holds the first
// key back until the next one. An empty sequence selects the default.
const detachKeys = "ctrl-@,ctrl-_,ctrl-^,ctrl-@,ctrl-_,ctrl-^"

// execExitCode returns the exit code of a command. The engine records it some time after
// the end of the output, and has no call that waits for it.
func execExitCode(ctx context.Context, cli *client.Client, id string) (int, error) {
	began := time.Now()
	for {
		found, err := inspectExec(ctx, cli, id)
		if err != nil || !found.Running {
			return found.ExitCode, err
		}
		select {
		case <-time.After(pollPause(time.Since(began))):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// pollPause returns the pause before the next inspection, when the first one was some time
// ago. The exit code is late by at most an eighth of that time, or by a millisecond.
func pollPause(waited time.Duration) time.Duration {
	return min(max(waited/8, time.Millisecond), time.Second)
}

func inspectExec(ctx context.Context, cli *client.Client, id string) (client.ExecInspectResult, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	found, err := cli.ExecInspect(ctx, id, client.ExecInspectOptions{})
	if errdefs.IsNotFound(err) {
		// The engine forgets the commands of a container that ended.
		return found, errors.New("the container ended before the exit code of the command was known")
	}
	return found, err
}

func (d *httpAPI) attach(s stream, id string, opts engine.AttachOptions) (*terminal, error) {
	cli, err := d.client(s.ctx)
	if err != nil {
		return nil, err
	}
	// The engine would attach to a container that does not run, and wait for its start.
	found, err := d.running(s.ctx, cli, id)
	if err != nil {
		return nil, err
	}
	query := url.Values{"stream": {"1"}, "detachKeys": {detachKeys}}
	for name, wanted := range map[string]bool{"stdin": opts.Stdin, "stdout": opts.Stdout, "stderr": opts.Stderr} {
		if wanted {
			query.Set(name, "1")
		}
	}
	conn, err := d.upgrade(s.ctx, cli, "/containers/"+id+"/attach", query, nil)
	if err != nil {
		return nil, err
	}
	t := newTerminal(s, conn, found.hasTerminal)
	// The engine passes the end of the input on only to a container that was created so.
	// For any other it would end the output, too.
	t.keepsInput = !found.endsInput || found.hasTerminal
	t.resize = func(ctx context.Context, size engine.TerminalSize) error {
		_, err := cli.ContainerResize(ctx, id, client.ContainerResizeOptions{Height: uint(size.Height), Width: uint(size.Width)})
		return err
	}
	t.wait = func(ctx context.Context) (int, error) { return containerExitCode(ctx, cli, id) }
	return t, nil
}

// containerExitCode waits until a container does not run, and returns its exit code.
func containerExitCode(ctx context.Context, cli *client.Client, id string) (int, error) {
	result := cli.ContainerWait(withoutLimit(ctx), id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case end := <-result.Result:
		return int(end.StatusCode), nil
	case err := <-result.Error:
		if errdefs.IsNotFound(err) {
			return 0, fmt.Errorf("container %s was removed when it ended: its exit code is not known", id)
		}
		return 0, err
	}
}
