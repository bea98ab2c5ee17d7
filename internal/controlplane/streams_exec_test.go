package controlplane_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func (s *streamed) executor(t *testing.T, id, subresource string, query url.Values) remotecommand.Executor {
	t.Helper()
	e, err := remotecommand.NewWebSocketExecutor(s.config, http.MethodGet, s.path(id, subresource)+"?"+query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func command(words ...string) url.Values { return url.Values{"command": words} }

// run executes a command through client-go, and returns its output.
func (s *streamed) run(t *testing.T, id, subresource string, query url.Values, options remotecommand.StreamOptions) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	options.Stdout = &out
	if !options.Tty {
		options.Stderr = &errOut
	}
	for name, isSet := range map[string]bool{"stdin": options.Stdin != nil, "stdout": true, "stderr": !options.Tty, "tty": options.Tty} {
		if isSet {
			query.Set(name, "true")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	err = s.executor(t, id, subresource, query).StreamWithContext(ctx, options)
	return out.String(), errOut.String(), err
}

func exitCodeOf(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[utilexec.CodeExitError](err); ok {
		return exit.Code
	}
	return -1
}

func TestStreamExec(t *testing.T) {
	s := newStreamed(t)
	id := s.container(t, "")
	out, errOut, err := s.run(t, id, "exec", command("sh", "-c", "echo out; echo err >&2; exit 3"), remotecommand.StreamOptions{})
	if out != "out\n" || errOut != "err\n" || exitCodeOf(err) != 3 {
		t.Errorf("exec: %q, %q, %v", out, errOut, err)
	}
	// The end of the input reaches the command.
	out, _, err = s.run(t, id, "exec", command("cat"), remotecommand.StreamOptions{Stdin: strings.NewReader("hello\n")})
	if out != "hello\n" || err != nil {
		t.Errorf("exec with input: %q, %v", out, err)
	}
	out, _, err = s.run(t, id, "exec", command("seq", "1", "200000"), remotecommand.StreamOptions{})
	if strings.Count(out, "\n") != 200_000 || err != nil {
		t.Errorf("exec with much output: %d bytes, %v", len(out), err)
	}
	input, write := io.Pipe()
	defer func() { _ = write.Close() }()
	sizes := make(sizeQueue, 1)
	sizes <- remotecommand.TerminalSize{Width: 123, Height: 45}
	go func() {
		<-time.After(200 * time.Millisecond) // the size precedes the command
		_, _ = io.WriteString(write, "stty size\nexit 5\n")
	}()
	out, _, err = s.run(t, id, "exec", command("sh"), remotecommand.StreamOptions{Tty: true, Stdin: input, TerminalSizeQueue: sizes})
	if out != "45 123\n" || exitCodeOf(err) != 5 {
		t.Errorf("exec with a terminal: %q, %v", out, err)
	}
	if out, _, err = s.run(t, id, "exec", command("missing"), remotecommand.StreamOptions{}); !strings.Contains(out, "not found") || exitCodeOf(err) != 127 {
		t.Errorf("exec of a missing program: %q, %v", out, err)
	}
}

type sizeQueue chan remotecommand.TerminalSize

// Next implements remotecommand.TerminalSizeQueue.
func (q sizeQueue) Next() *remotecommand.TerminalSize {
	size, ok := <-q
	if !ok {
		return nil
	}
	return &size
}

func TestStreamExecRefusals(t *testing.T) {
	s := newStreamed(t)
	paused, running := s.container(t, ""), s.container(t, "")
	if err := s.engine.PauseContainer(paused); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id    string
		query url.Values
		want  string
	}{
		"paused":     {paused, command("true"), "paused"},
		"no command": {running, url.Values{}, "needs a command"},
		"missing":    {strings.Repeat("ab", 32), command("true"), "not found"},
		"parameter":  {running, url.Values{"command": {"true"}, "tty": {"perhaps"}}, "true or false"},
	} {
		_, _, err := s.run(t, c.id, "exec", c.query, remotecommand.StreamOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if code, got := s.text(t, s.path(running, "exec?command=true")); code != http.StatusUpgradeRequired || !strings.Contains(got, "WebSocket") {
		t.Errorf("exec without WebSocket: %d %q", code, got)
	}
	s.isDown.Store(true)
	if _, _, err := s.run(t, running, "exec", command("true"), remotecommand.StreamOptions{}); err == nil || !strings.Contains(err.Error(), "rdd start") {
		t.Errorf("exec without an engine: %v", err)
	}
}

func TestStreamAttach(t *testing.T) {
	s := newStreamed(t)
	id := s.container(t, "sh")
	out, errOut, err := s.run(t, id, "attach", url.Values{}, remotecommand.StreamOptions{
		Stdin: strings.NewReader("echo out\necho err >&2\nexit 4\n")})
	if out != "out\n" || errOut != "err\n" || exitCodeOf(err) != 4 {
		t.Errorf("attach: %q, %q, %v", out, errOut, err)
	}
}

// An exec ends with its client, its container, its engine and its server.
func TestStreamExecEnds(t *testing.T) {
	s := newStreamed(t)
	for name, c := range map[string]struct {
		end  func(id string)
		want string
	}{
		"container": {func(id string) { _ = s.engine.KillContainer(id) }, "exit code 137"},
		"engine":    {func(string) { s.engine.CloseStreams() }, "the engine"},
		"silence":   {func(string) { s.breakOff("the engine is silent") }, "the engine is silent"},
		"server":    {func(string) { go func() { _ = s.server.Stop(context.Background()) }() }, "rdd is stopping"},
	} {
		if name == "server" {
			continue // the last one, below
		}
		s.execEnds(t, name, c.end, c.want)
	}
	s.execEnds(t, "server", func(string) { go func() { _ = s.server.Stop(context.Background()) }() }, "rdd is stopping")
}

func (s *streamed) execEnds(t *testing.T, name string, end func(id string), want string) {
	t.Helper()
	id := s.container(t, "")
	began := make(chan struct{})
	out := writerFunc(func(p []byte) (int, error) {
		if string(p) == "begin\n" {
			close(began)
		}
		return len(p), nil
	})
	ended := make(chan error, 1)
	query := command("sh", "-c", "echo begin; sleep 1000")
	query.Set("stdout", "true")
	go func() {
		ended <- s.executor(t, id, "exec", query).StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdout: out})
	}()
	<-began
	end(id)
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	case <-time.After(deadline):
		t.Errorf("%s: the stream does not end", name)
	}
}

// watchedEngine signals when the terminal of an exec is closed.
type watchedEngine struct {
	engine.Engine
	closed chan struct{}
}

// Exec implements engine.Streamer.
func (e watchedEngine) Exec(ctx context.Context, id string, opts engine.ExecOptions) (engine.Terminal, error) {
	terminal, err := e.Engine.Exec(ctx, id, opts)
	return watchedTerminal{terminal, e.closed}, err
}

type watchedTerminal struct {
	engine.Terminal
	closed chan struct{}
}

// Close implements engine.Output.
func (t watchedTerminal) Close() error {
	defer close(t.closed)
	return t.Terminal.Close()
}

// zeros is an endless input.
type zeros struct {
	ctx  context.Context
	read chan struct{}
}

// Read implements io.Reader.
func (z zeros) Read(p []byte) (int, error) {
	select {
	case z.read <- struct{}{}:
		return len(p), nil
	case <-z.ctx.Done():
		return 0, io.EOF
	}
}

// A client leaves whose input the process does not read, and fills all buffers up to the
// client's own.
func TestStreamEndsWithClientOfFullInput(t *testing.T) {
	closed := make(chan struct{})
	s := newStreamedWith(t, func(e engine.Engine) engine.Engine { return watchedEngine{e, closed} })
	id := s.container(t, "")
	query := command("sleep", "1000")
	query.Set("stdin", "true")
	query.Set("stdout", "true")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	input := zeros{ctx, make(chan struct{})}
	go func() {
		_ = s.executor(t, id, "exec", query).StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: input, Stdout: io.Discard})
	}()
	select {
	case <-input.read: // the streams are open
	case <-time.After(deadline):
		t.Fatal("the input is not read")
	}
	for isFull := false; !isFull; {
		select {
		case <-input.read:
		case <-time.After(3 * time.Second):
			isFull = true
		}
	}
	select {
	case <-closed:
		t.Fatal("the stream ended before its client left")
	default:
	}
	leave()
	select {
	case <-closed:
	case <-time.After(deadline):
		t.Error("the stream of a client that has left does not end")
	}
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
