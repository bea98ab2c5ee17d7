package enginetest

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func logRules() []rule {
	return []rule{
		{"SeparatesStreams", func(s *scene) {
			key := s.ended("echo out; echo err >&2")
			s.logIs(key, engine.LogOptions{Stdout: true, Stderr: true}, "out\n", "err\n")
			s.logIs(key, engine.LogOptions{Stdout: true}, "out\n", "")
			s.logIs(key, engine.LogOptions{Stderr: true}, "", "err\n")
		}},
		{"OfTerminalHasOneStream", logOfTerminal},
		{"OfNeverStartedIsEmpty", func(s *scene) {
			s.logIs(s.container(Container{}), engine.LogOptions{Stdout: true, Stderr: true, Follow: true}, "", "")
		}},
		{"HasTheTail", func(s *scene) {
			key := s.ended("/bin/busybox seq 1 100")
			s.logIs(key, engine.LogOptions{Stdout: true, Tail: new(int64(3))}, "98\n99\n100\n", "")
			s.logIs(key, engine.LogOptions{Stdout: true, Tail: new(int64(0))}, "", "")
		}},
		{"TailCountsBothStreams", func(s *scene) {
			key := s.ended("echo one; /bin/busybox sleep 0.2; echo two >&2")
			s.logIs(key, engine.LogOptions{Stdout: true, Tail: new(int64(1))}, "", "")
			s.logIs(key, engine.LogOptions{Stderr: true, Tail: new(int64(1))}, "", "two\n")
		}},
		{"BeginsAtATime", logSince},
		{"FollowsToTheEnd", func(s *scene) {
			key := s.running(Container{Script: "echo one; /bin/busybox sleep 1; echo two"})
			s.logIs(key, engine.LogOptions{Stdout: true, Stderr: true, Follow: true}, "one\ntwo\n", "")
		}},
		{"JoinsStreamsOfOneWriter", logJoined},
		{"EndsWithItsContext", logEndsWithContext},
		{"EndsWithItsConnection", logEndsWithConnection},
		{"EndsWithTheEngine", logEndsWithEngine},
		{"OfMissingContainerIsNotFound", func(s *scene) {
			if _, err := s.engine.Log(s.Context(), missingID(), engine.LogOptions{Stdout: true}); !engine.IsNotFound(err) {
				s.Errorf("log: %v, want not found", err)
			}
		}},
	}
}

func missingID() string { return strings.Repeat("ab", 32) }

// text is a writer that another goroutine can read.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

// String returns what was written, with line ends as without a terminal.
func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ReplaceAll(t.b.String(), "\r\n", "\n")
}

// ended runs a script in a container to its end.
func (s *scene) ended(script string) engine.Key {
	s.Helper()
	key := s.running(Container{Script: script})
	s.isOver(key)
	return key
}

func (s *scene) isOver(key engine.Key) {
	s.Helper()
	testkit.EventuallyTrue(s, reportTimeout, "the end of the container", func() bool {
		return s.state(key) == containersv1.ContainerExited
	})
}

// mustLog opens a log, and closes it after the test.
func (s *scene) mustLog(ctx context.Context, key engine.Key, opts engine.LogOptions) engine.Output {
	s.Helper()
	log, err := s.engine.Log(ctx, key.ID, opts)
	if err != nil {
		s.Fatalf("log: %v", err)
	}
	s.Cleanup(func() { _ = log.Close() })
	return log
}

func (s *scene) logIs(key engine.Key, opts engine.LogOptions, stdout, stderr string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
	defer cancel()
	var out, errOut text
	if err := s.mustLog(ctx, key, opts).CopyTo(&out, &errOut); err != nil {
		s.Fatalf("read the log: %v", err)
	}
	if out.String() != stdout || errOut.String() != stderr {
		s.Errorf("%+v: got %q and %q, want %q and %q", opts, out.String(), errOut.String(), stdout, stderr)
	}
}

func logOfTerminal(s *scene) {
	key := s.running(Container{Script: "echo out; echo err >&2", TTY: true})
	s.isOver(key)
	s.logIs(key, engine.LogOptions{Stdout: true, Stderr: true}, "out\nerr\n", "")
}

func logSince(s *scene) {
	key := s.ended("echo one; /bin/busybox sleep 0.2; echo two")
	var stamped text
	log := s.mustLog(s.Context(), key, engine.LogOptions{Stdout: true, Timestamps: true})
	if err := log.CopyTo(&stamped, nil); err != nil {
		s.Fatal(err)
	}
	fields := strings.Fields(stamped.String())
	if len(fields) != 4 || fields[1] != "one" || fields[3] != "two" {
		s.Fatalf("the log with times is %q", stamped.String())
	}
	at, err := time.Parse(time.RFC3339Nano, fields[2])
	if err != nil {
		s.Fatal(err)
	}
	s.logIs(key, engine.LogOptions{Stdout: true, Since: at}, "two\n", "")
}

func logJoined(s *scene) {
	key := s.ended("echo one; echo two >&2; echo three")
	writer := &counter{}
	log := s.mustLog(s.Context(), key, engine.LogOptions{Stdout: true, Stderr: true})
	if err := log.CopyTo(writer, writer); err != nil {
		s.Fatal(err)
	}
	// The engine reads the two streams of a process in parallel, and may send each line
	// by itself.
	if got := writer.String(); len(got) != len("one\ntwo\nthree\n") || writer.writes > 3 {
		s.Errorf("got %q in %d writes", got, writer.writes)
	}
}

type counter struct {
	text
	writes int
}

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	return c.text.Write(p)
}

// following follows the log of a container that runs, and returns once it has shown a
// line.
func (s *scene) following(ctx context.Context) (ended <-chan error) {
	s.Helper()
	key := s.running(Container{Script: "echo begin; /bin/busybox sleep 1000"})
	log := s.mustLog(ctx, key, engine.LogOptions{Stdout: true, Stderr: true, Follow: true})
	var out text
	result := make(chan error, 1)
	go func() { result <- log.CopyTo(&out, io.Discard) }()
	testkit.EventuallyTrue(s, reportTimeout, "the first line", func() bool { return out.String() == "begin\n" })
	return result
}

// endOf returns the error with which a stream ends.
func (s *scene) endOf(ended <-chan error) error {
	s.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(callTimeout):
		s.Fatal("the stream does not end")
		return nil
	}
}

func logEndsWithContext(s *scene) {
	ctx, cancel := context.WithCancelCause(s.Context())
	ended := s.following(ctx)
	cause := errors.New("enough")
	cancel(cause)
	if err := s.endOf(ended); !errors.Is(err, cause) {
		s.Errorf("the end of the context: %v", err)
	}
}

func logEndsWithConnection(s *scene) {
	ended := s.following(s.Context())
	_ = s.engine.Close()
	if err := s.endOf(ended); !engine.IsUnreachable(err) {
		s.Errorf("the end of the connection: %v", err)
	}
}

// An engine that stops ends its containers first, and so their logs.
func logEndsWithEngine(s *scene) {
	ended := s.following(s.Context())
	s.StopEngine()
	defer s.StartEngine()
	if err := s.endOf(ended); err != nil && !engine.IsUnreachable(err) {
		s.Errorf("the end of the engine: %v", err)
	}
}
