package controlplane

import (
	"context"
	"log/slog"
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
	return q.handler().Handle(ctx, record)
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
