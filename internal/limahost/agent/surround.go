package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/lima-vm/lima/pkg/version"
	"github.com/sirupsen/logrus"
)

// limaModule is Lima's module, and limaVersion the version that this was written for.
const (
	limaModule  = "github.com/lima-vm/lima"
	limaVersion = "1.2.2"
)

// lima is Lima's packages as this process has them.
type lima struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal string
}

// surround gives Lima's packages what they take from their process: the place of
// their home, their version, a logger. Their version is a variable that Lima's
// own build fills in, and that a lima.yaml may ask a minimum of.
func surround(limaHome string, log *slog.Logger) (*lima, error) {
	if err := os.Setenv("LIMA_HOME", limaHome); err != nil {
		return nil, fmt.Errorf("tell Lima its home: %w", err)
	}
	version.Version = limaVersion
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == limaModule {
				version.Version = strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	l := &lima{log: log}
	logger := logrus.StandardLogger()
	logger.SetOutput(io.Discard)
	logger.SetLevel(logrus.DebugLevel)
	hooks := logrus.LevelHooks{}
	hooks.Add(l)
	logger.ReplaceHooks(hooks)
	logger.ExitFunc = func(int) { runtime.Goexit() }
	return l, nil
}

// call calls one of Lima's functions. Some of them end the process when, for
// example, QEMU is too old; that becomes an error.
func (l *lima) call(function func() error) error {
	result := make(chan error, 1)
	go func() {
		returned := false
		defer func() {
			if !returned {
				l.mu.Lock()
				defer l.mu.Unlock()
				result <- errors.New(l.fatal)
			}
		}()
		err := function()
		returned = true
		result <- err
	}()
	return <-result
}

// Levels implements logrus.Hook.
func (*lima) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook: it passes on what Lima logs.
func (l *lima) Fire(e *logrus.Entry) error {
	level := slog.LevelDebug
	switch e.Level {
	case logrus.PanicLevel, logrus.FatalLevel:
		l.mu.Lock()
		l.fatal = e.Message
		l.mu.Unlock()
		level = slog.LevelError
	case logrus.ErrorLevel:
		level = slog.LevelError
	case logrus.WarnLevel:
		level = slog.LevelWarn
	case logrus.InfoLevel:
		level = slog.LevelInfo
	case logrus.DebugLevel, logrus.TraceLevel:
	}
	attrs := make([]slog.Attr, 0, len(e.Data))
	for name, value := range e.Data {
		attrs = append(attrs, slog.Any(name, value))
	}
	l.log.LogAttrs(context.Background(), level, "lima: "+e.Message, attrs...)
	return nil
}
