package enginetest

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// shell returns a command that runs a script.
func shell(script string) []string { return []string{"/bin/busybox", "sh", "-c", script} }

func execRules() []rule {
	return []rule{
		{"SeparatesStreams", func(s *scene) {
			s.execIs(engine.ExecOptions{Command: shell("echo out; echo err >&2; exit 3"), Stdout: true, Stderr: true}, "out\n", "err\n", 3)
		}},
		{"OfTerminalHasOneStream", func(s *scene) {
			s.execIs(engine.ExecOptions{Command: shell("echo out; echo err >&2"), Stdout: true, Stderr: true, TTY: true}, "out\nerr\n", "", 0)
		}},
		{"HasAllOutput", execHasAllOutput},
		{"EndsItsInput", execEndsInput},
		{"OfTerminalOutlivesItsInput", execOutlivesInput},
		{"HasNoDetachKeys", execHasNoDetachKeys},
		{"ResizesItsTerminal", execResizes},
		{"OfUnknownProgramExits", execOfUnknownProgram},
		{"InPausedContainerIsRefused", func(s *scene) {
			key := s.running(Container{})
			s.PauseContainer(key.ID)
			s.refusesExec(key, "paused")
		}},
		{"InStoppedContainerIsRefused", func(s *scene) {
			key := s.running(Container{})
			s.StopContainer(key.ID)
			s.refusesExec(key, "not running")
		}},
		{"InMissingContainerIsNotFound", func(s *scene) {
			if _, err := s.engine.Exec(s.Context(), missingID(), engine.ExecOptions{Command: shell("true"), Stdout: true}); !engine.IsNotFound(err) {
				s.Errorf("exec: %v, want not found", err)
			}
		}},
		{"EndsWithTheContainer", execEndsWithContainer},
		{"EndsWithItsContext", execEndsWithContext},
		{"EndsWithItsReader", execEndsWithReader},
	}
}

func attachRules() []rule {
	return []rule{
		{"ConnectsToTheMainProcess", attachConnects},
		{"ToStoppedContainerIsRefused", func(s *scene) {
			if _, err := s.engine.Attach(s.Context(), s.container(Container{}).ID, engine.AttachOptions{Stdout: true}); !engine.IsConflict(err) {
				s.Errorf("attach: %v, want a conflict", err)
			}
		}},
		{"ToMissingContainerIsNotFound", func(s *scene) {
			if _, err := s.engine.Attach(s.Context(), missingID(), engine.AttachOptions{Stdout: true}); !engine.IsNotFound(err) {
				s.Errorf("attach: %v, want not found", err)
			}
		}},
	}
}

func statsRules() []rule {
	return []rule{
		{"ReadsOnce", func(s *scene) {
			readings := 0
			err := s.stats(s.running(Container{}), true, func(r engine.Stats) error {
				readings++
				if r.Time.IsZero() {
					s.Errorf("a reading without its time: %+v", r)
				}
				return nil
			})
			if err != nil || readings != 1 {
				s.Errorf("%d readings, %v", readings, err)
			}
		}},
		{"ReadsEachSecond", statsEachSecond},
		{"EndsWithTheContainer", func(s *scene) {
			key := s.running(Container{})
			readings := 0
			err := s.stats(key, false, func(engine.Stats) error {
				if readings++; readings == 1 {
					s.KillContainer(key.ID)
				}
				return nil
			})
			if err != nil || readings == 0 {
				s.Errorf("%d readings, %v", readings, err)
			}
		}},
		{"OfStoppedContainerIsRefused", func(s *scene) {
			if err := s.stats(s.container(Container{}), true, nil); !engine.IsConflict(err) || !strings.Contains(err.Error(), "not running") {
				s.Errorf("stats: %v, want a conflict", err)
			}
		}},
		{"OfMissingContainerIsNotFound", func(s *scene) {
			if err := s.stats(containerKey(missingID()), false, nil); !engine.IsNotFound(err) {
				s.Errorf("stats: %v, want not found", err)
			}
		}},
	}
}

func (s *scene) mustExec(ctx context.Context, key engine.Key, opts engine.ExecOptions) engine.Terminal {
	s.Helper()
	t, err := s.engine.Exec(ctx, key.ID, opts)
	if err != nil {
		s.Fatalf("exec %q: %v", opts.Command, err)
	}
	s.Cleanup(func() { _ = t.Close() })
	return t
}

// finish returns the output and the exit code of a process.
func (s *scene) finish(t engine.Terminal) (stdout, stderr string, code int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	var out, errOut text
	if err := t.CopyTo(&out, &errOut); err != nil {
		s.Fatalf("read the output: %v", err)
	}
	code, err := t.Wait(ctx)
	if err != nil {
		s.Fatalf("wait for the exit code: %v", err)
	}
	return out.String(), errOut.String(), code
}

func (s *scene) execIs(opts engine.ExecOptions, stdout, stderr string, code int) {
	s.Helper()
	out, errOut, got := s.finish(s.mustExec(s.Context(), s.running(Container{}), opts))
	if out != stdout || errOut != stderr || got != code {
		s.Errorf("%q: got %q, %q and exit code %d", opts.Command, out, errOut, got)
	}
}

func execHasAllOutput(s *scene) {
	t := s.mustExec(s.Context(), s.running(Container{}), engine.ExecOptions{Command: []string{"/bin/busybox", "seq", "1", "100000"}, Stdout: true})
	out, _, code := s.finish(t)
	if !strings.HasPrefix(out, "1\n2\n") || !strings.HasSuffix(out, "\n100000\n") || strings.Count(out, "\n") != 100_000 || code != 0 {
		s.Errorf("%d bytes, exit code %d", len(out), code)
	}
}

// The output continues after the end of the input.
func execEndsInput(s *scene) {
	t := s.mustExec(s.Context(), s.running(Container{}), engine.ExecOptions{
		Command: shell("/bin/busybox cat; echo after; exit 7"), Stdin: true, Stdout: true, Stderr: true})
	if _, err := io.WriteString(t, "hello\n"); err != nil {
		s.Fatal(err)
	}
	if err := t.CloseWrite(); err != nil {
		s.Fatal(err)
	}
	if out, _, code := s.finish(t); out != "hello\nafter\n" || code != 7 {
		s.Errorf("got %q, exit code %d", out, code)
	}
}

func execOutlivesInput(s *scene) {
	t := s.mustExec(s.Context(), s.running(Container{}), engine.ExecOptions{
		Command: shell("/bin/busybox sleep 0.5; echo after; exit 4"), Stdin: true, Stdout: true, TTY: true})
	if err := t.CloseWrite(); err != nil {
		s.Fatal(err)
	}
	if out, _, code := s.finish(t); out != "after\n" || code != 4 {
		s.Errorf("got %q, exit code %d", out, code)
	}
}

// The keys with which docker leaves a process that continues reach the process.
func execHasNoDetachKeys(s *scene) {
	t := s.mustExec(s.Context(), s.running(Container{}), engine.ExecOptions{
		Command: []string{"/bin/busybox", "sh"}, Stdin: true, Stdout: true, TTY: true})
	if _, err := io.WriteString(t, "\x10\x11\nexit 6\n"); err != nil {
		s.Fatal(err)
	}
	if out, _, code := s.finish(t); code != 6 {
		s.Errorf("got %q, exit code %d", out, code)
	}
}

func execResizes(s *scene) {
	t := s.mustExec(s.Context(), s.running(Container{}), engine.ExecOptions{
		Command: []string{"/bin/busybox", "sh"}, Stdin: true, Stdout: true, TTY: true})
	if err := t.Resize(s.Context(), engine.TerminalSize{Width: 123, Height: 45}); err != nil {
		s.Fatalf("resize: %v", err)
	}
	if _, err := io.WriteString(t, "/bin/busybox stty size\nexit 5\n"); err != nil {
		s.Fatal(err)
	}
	if out, _, code := s.finish(t); !strings.Contains(out, "45 123") || code != 5 {
		s.Errorf("got %q, exit code %d", out, code)
	}
}

func execOfUnknownProgram(s *scene) {
	t := s.mustExec(s.Context(), s.running(Container{}), engine.ExecOptions{Command: []string{"/bin/missing"}, Stdout: true, Stderr: true})
	out, errOut, code := s.finish(t)
	if !strings.Contains(out+errOut, "exec failed") || code != 126 && code != 127 {
		s.Errorf("got %q, %q, exit code %d", out, errOut, code)
	}
}

func (s *scene) refusesExec(key engine.Key, words string) {
	s.Helper()
	_, err := s.engine.Exec(s.Context(), key.ID, engine.ExecOptions{Command: shell("true"), Stdout: true})
	if !engine.IsConflict(err) || !strings.Contains(err.Error(), words) {
		s.Errorf("exec: %v, want a conflict with %q", err, words)
	}
}

// copying copies the output of a command that does not end.
func (s *scene) copying(ctx context.Context, key engine.Key) (ended <-chan error) {
	s.Helper()
	t := s.mustExec(ctx, key, engine.ExecOptions{Command: shell("echo begin; /bin/busybox sleep 1000"), Stdout: true})
	var out text
	result := make(chan error, 1)
	go func() { result <- t.CopyTo(&out, nil) }()
	testkit.EventuallyTrue(s, reportTimeout, "the first line", func() bool { return out.String() == "begin\n" })
	return result
}

func execEndsWithContainer(s *scene) {
	key := s.running(Container{})
	ended := s.copying(s.Context(), key)
	s.KillContainer(key.ID)
	if err := s.endOf(ended); err != nil {
		s.Errorf("the end of the container: %v", err)
	}
}

func execEndsWithContext(s *scene) {
	ctx, cancel := context.WithCancelCause(s.Context())
	ended := s.copying(ctx, s.running(Container{}))
	cause := errors.New("enough")
	cancel(cause)
	if err := s.endOf(ended); !errors.Is(err, cause) {
		s.Errorf("the end of the context: %v", err)
	}
}

// failing is a writer that fails.
type failing struct{ err error }

// Write implements io.Writer.
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// The error of a reader is no error of the engine.
func execEndsWithReader(s *scene) {
	t := s.mustExec(s.Context(), s.running(Container{}), engine.ExecOptions{Command: []string{"/bin/busybox", "yes"}, Stdout: true})
	cause := io.ErrClosedPipe
	if err := t.CopyTo(failing{cause}, nil); !errors.Is(err, cause) || engine.IsUnreachable(err) {
		s.Errorf("the end of the reader: %v", err)
	}
}

func attachConnects(s *scene) {
	key := s.running(Container{Script: "/bin/busybox sh", OpenStdin: true})
	t, err := s.engine.Attach(s.Context(), key.ID, engine.AttachOptions{Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		s.Fatalf("attach: %v", err)
	}
	defer func() { _ = t.Close() }()
	if _, err := io.WriteString(t, "echo out\necho err >&2\nexit 4\n"); err != nil {
		s.Fatal(err)
	}
	if err := t.CloseWrite(); err != nil { // the output continues
		s.Fatal(err)
	}
	if out, errOut, code := s.finish(t); out != "out\n" || errOut != "err\n" || code != 4 {
		s.Errorf("got %q, %q, exit code %d", out, errOut, code)
	}
}

func (s *scene) stats(key engine.Key, once bool, sink func(engine.Stats) error) error {
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	return s.engine.Stats(ctx, key.ID, once, sink)
}

func statsEachSecond(s *scene) {
	var times []time.Time
	enough := errors.New("enough")
	err := s.stats(s.running(Container{}), false, func(r engine.Stats) error {
		if times = append(times, r.Time); len(times) == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || len(times) != 3 {
		s.Fatalf("readings at %v, %v", times, err)
	}
	if took := times[2].Sub(times[0]); took < time.Second || took > 6*time.Second {
		s.Errorf("three readings took %s", took)
	}
}
