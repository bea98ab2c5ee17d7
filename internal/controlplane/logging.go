package controlplane

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// libraryLog is the logger of klog, which has one logger per process. Goroutines of a
// stopped control plane may still use it while the next one starts, so the logger is set
// once and only its target changes.
var libraryLog struct { //nolint:gochecknoglobals // the library's own logger is global
	once   sync.Once
	logger atomic.Pointer[slog.Logger]
	// stopping is set while the control plane stops: informers and policies then meet a
	// server that is gone, which is no error.
	stopping atomic.Bool
	// limiter limits repeated lines, such as the error of every retry of a controller.
	limiter logLimiter
}

// captureLogs sends the logs of the Kubernetes libraries to logger.
func captureLogs(logger *slog.Logger) {
	libraryLog.logger.Store(logger)
	libraryLog.stopping.Store(false)
	libraryLog.once.Do(func() {
		klog.SetSlogLogger(slog.New(demotingHandler{}))
		// Without a logger, controller-runtime prints a stack to stderr after half a minute.
		log.SetLogger(logr.FromSlogHandler(demotingHandler{}))
	})
}

// demotingHandler logs info lines of the API server at level debug, because they report
// the start and stop of every controller.
type demotingHandler struct {
	// with adds the attributes and groups of a derived logger.
	with func(slog.Handler) slog.Handler
}

func (d demotingHandler) handler() slog.Handler {
	h := libraryLog.logger.Load().Handler()
	if d.with != nil {
		h = d.with(h)
	}
	return h
}

func (d demotingHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return libraryLog.logger.Load().Enabled(ctx, demote(level))
}

func (d demotingHandler) Handle(ctx context.Context, record slog.Record) error {
	record.Level = demote(record.Level)
	if libraryLog.stopping.Load() || isAbandonedRequest(record) {
		record.Level = slog.LevelDebug
	}
	if record.Level < slog.LevelWarn {
		return d.handler().Handle(ctx, record)
	}
	key := record.Message
	record.Attrs(func(a slog.Attr) bool {
		key += " " + a.String()
		return true
	})
	libraryLog.limiter.record(key, func(count int) {
		if count > 1 {
			record = record.Clone()
			record.AddAttrs(slog.Int("repeated", count))
		}
		_ = d.handler().Handle(context.WithoutCancel(ctx), record) // there is no other log for its error
	})
	return nil
}

func (d demotingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return d.and(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

func (d demotingHandler) WithGroup(name string) slog.Handler {
	return d.and(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (d demotingHandler) and(more func(slog.Handler) slog.Handler) slog.Handler {
	before := d.with
	return demotingHandler{with: func(h slog.Handler) slog.Handler {
		if before != nil {
			h = before(h)
		}
		return more(h)
	}}
}

// isAbandonedRequest reports whether a record is of a handler that ended after its client
// had left, or of an informer that was stopped. Neither is an error. The formats are
// those of the finisher in k8s.io/apiserver and of client-go's reflector.
func isAbandonedRequest(record slog.Record) (is bool) {
	record.Attrs(func(a slog.Attr) bool {
		text := a.Value.String()
		is = strings.HasPrefix(text, "FinishRequest: post-timeout activity") && strings.Contains(text, "panicked: false") ||
			record.Message == "Failed to watch" && a.Key == "err" && strings.HasSuffix(text, context.Canceled.Error())
		return !is
	})
	return is
}

func demote(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return level - slog.LevelInfo + slog.LevelDebug
	}
	return level
}

// connectionLog is the error log of an [http.Server]. Most lines are about
// unauthenticated clients that do not speak TLS or HTTP, or close the connection. These
// lines contain ports and bytes that clients choose, so all of them count as one.
type connectionLog struct {
	logger *slog.Logger
	lines  *logLimiter
}

// Write implements [io.Writer].
func (c connectionLog) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	level, key := slog.LevelDebug, "connection"
	switch {
	case strings.HasPrefix(line, "http: panic"), strings.HasPrefix(line, "http2: panic"):
		level, key = slog.LevelWarn, line
	case strings.HasPrefix(line, "http: Accept error"):
		level, key = slog.LevelWarn, "accept"
	}
	c.lines.record(key, func(count int) {
		c.logger.Log(context.Background(), level, line, slog.Int("count", count))
	})
	return len(p), nil
}
