package controlplane

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/sirupsen/logrus"
	"k8s.io/klog/v2"
)

// libraries is where klog and logrus log to: both have one logger for the whole
// process, and goroutines of a control plane that has ended may still use it
// while the next one starts. So their loggers are set once, and only what
// stands behind them changes.
var libraries struct { //nolint:gochecknoglobals // the libraries' own loggers are global
	once   sync.Once
	logger atomic.Pointer[slog.Logger]
}

// captureLogs sends what the Kubernetes libraries (klog) and kine (logrus) log to
// logger.
func captureLogs(logger *slog.Logger) {
	libraries.logger.Store(logger)
	libraries.once.Do(func() {
		klog.SetSlogLogger(slog.New(quieter{}))

		kine := logrus.StandardLogger()
		kine.SetOutput(io.Discard)
		kine.AddHook(kineHook{})
		// kine ends the process when a commit fails, as on a full disk. Here the
		// failed write is reported to whoever made it, and the process lives on.
		kine.ExitFunc = func(int) {}
	})
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

// kineHook is a [logrus.Hook].
type kineHook struct{}

func (kineHook) Levels() []logrus.Level {
	return []logrus.Level{logrus.PanicLevel, logrus.FatalLevel, logrus.ErrorLevel, logrus.WarnLevel}
}

func (kineHook) Fire(entry *logrus.Entry) error {
	level := slog.LevelError
	if entry.Level == logrus.WarnLevel {
		level = slog.LevelWarn
	}
	libraries.logger.Load().Log(context.Background(), level, entry.Message, slog.String("component", "kine"))
	return nil
}
