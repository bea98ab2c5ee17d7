package controlplane

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// libraries is where klog logs to: it has one logger for the whole process, and
// goroutines of a control plane that has ended may still use it while the next
// one starts. So its logger is set once, and only what stands behind it changes.
var libraries struct { //nolint:gochecknoglobals // the library's own logger is global
	once   sync.Once
	logger atomic.Pointer[slog.Logger]
	// repeats bounds what they log again and again, such as an error that a
	// controller meets at every attempt.
	repeats repeats
}

// captureLogs sends what the Kubernetes libraries log to logger.
func captureLogs(logger *slog.Logger) {
	libraries.logger.Store(logger)
	libraries.once.Do(func() { klog.SetSlogLogger(slog.New(quieter{})) })
}

// quieter lowers what the API server calls info to debug: it reports every
// controller's start and stop.
type quieter struct {
	// with adds the attributes and groups of a derived logger.
	with func(slog.Handler) slog.Handler
}

func (q quieter) handler() slog.Handler {
	h := libraries.logger.Load().Handler()
	if q.with != nil {
		h = q.with(h)
	}
	return h
}

func (q quieter) Enabled(ctx context.Context, level slog.Level) bool {
	return libraries.logger.Load().Enabled(ctx, lower(level))
}

func (q quieter) Handle(ctx context.Context, record slog.Record) error {
	record.Level = lower(record.Level)
	if record.Level < slog.LevelWarn {
		return q.handler().Handle(ctx, record)
	}
	key := record.Message
	record.Attrs(func(a slog.Attr) bool {
		key += " " + a.String()
		return true
	})
	libraries.repeats.note(key, func(count int) {
		if count > 1 {
			record = record.Clone()
			record.AddAttrs(slog.Int("repeated", count))
		}
		_ = q.handler().Handle(context.WithoutCancel(ctx), record) // a log that cannot be written can be reported nowhere
	})
	return nil
}

func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return q.and(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

func (q quieter) WithGroup(name string) slog.Handler {
	return q.and(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (q quieter) and(more func(slog.Handler) slog.Handler) slog.Handler {
	before := q.with
	return quieter{with: func(h slog.Handler) slog.Handler {
		if before != nil {
			h = before(h)
		}
		return more(h)
	}}
}

func lower(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return level - slog.LevelInfo + slog.LevelDebug
	}
	return level
}

// connectionLog takes what an [http.Server] logs. Most of it is
// about clients that do not speak TLS or HTTP, or hang up, and have not shown a
// token. These lines differ in ports and bytes that a client chooses, so all of
// them count as one.
type connectionLog struct {
	logger *slog.Logger
	lines  *repeats
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
	c.lines.note(key, func(count int) {
		c.logger.Log(context.Background(), level, line, slog.Int("count", count))
	})
	return len(p), nil
}
