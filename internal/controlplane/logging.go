package controlplane

import (
	"context"
	"io"
	"log/slog"

	"github.com/sirupsen/logrus"
	"k8s.io/klog/v2"
)

// captureLogs sends what the Kubernetes libraries (klog) and kine (logrus) log to
// logger. Both have one logger for the whole process.
func captureLogs(logger *slog.Logger) {
	klog.SetSlogLogger(slog.New(quieter{logger.Handler()}))

	kine := logrus.StandardLogger()
	kine.SetOutput(io.Discard)
	kine.ReplaceHooks(logrus.LevelHooks{})
	kine.AddHook(kineHook{logger.With(slog.String("component", "kine"))})
	// kine ends the process when a commit fails, as on a full disk. Here the
	// failed write is reported to whoever made it, and the process lives on.
	kine.ExitFunc = func(int) {}
}

// quieter lowers what the API server calls info to debug: it reports every
// controller's start and stop.
type quieter struct{ slog.Handler }

func (q quieter) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, lower(level))
}

func (q quieter) Handle(ctx context.Context, record slog.Record) error {
	record.Level = lower(record.Level)
	return q.Handler.Handle(ctx, record)
}

func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs)}
}
func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }

func lower(level slog.Level) slog.Level {
	if level < slog.LevelWarn {
		return level - slog.LevelInfo + slog.LevelDebug
	}
	return level
}

// kineHook is a [logrus.Hook].
type kineHook struct{ logger *slog.Logger }

func (kineHook) Levels() []logrus.Level {
	return []logrus.Level{logrus.PanicLevel, logrus.FatalLevel, logrus.ErrorLevel, logrus.WarnLevel}
}

func (h kineHook) Fire(entry *logrus.Entry) error {
	level := slog.LevelError
	if entry.Level == logrus.WarnLevel {
		level = slog.LevelWarn
	}
	h.logger.Log(context.Background(), level, entry.Message)
	return nil
}
