package controller

import (
	"context"
	"log/slog"
	"strings"
)

// warnings is the log of the libraries, which reports neither each of their steps nor requests
// that end because the controller ends.
type warnings struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (w warnings) Handle(ctx context.Context, record slog.Record) error {
	isEnd := false
	record.Attrs(func(a slog.Attr) bool {
		isEnd = strings.HasSuffix(a.Value.String(), context.Canceled.Error())
		return !isEnd
	})
	if isEnd {
		return nil
	}
	return w.Handler.Handle(ctx, record)
}

// WithAttrs implements [slog.Handler].
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }
