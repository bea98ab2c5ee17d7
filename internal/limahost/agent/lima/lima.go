// Package lima runs functions of Lima's packages in the host agent's process.
//
// Lima assumes that the process is its own. It reads its home from the environment and
// its version from a variable that Lima's build sets, logs to a global logger, and exits
// on some errors. Configure sets home, version and logger; Call turns an exit into an
// error.
package lima

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

const (
	module = "github.com/lima-vm/lima"
	// testedVersion is the version of Lima that this code was written for. It
	// counts where the build has no record of its modules.
	testedVersion = "1.2.2"
)

// Runtime calls Lima's functions.
type Runtime struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal string
}

// Configure sets the home, the logger and the version of Lima's packages. A lima.yaml
// may require a minimum version.
func Configure(home string, log *slog.Logger) (*Runtime, error) {
	if err := os.Setenv("LIMA_HOME", home); err != nil {
		return nil, fmt.Errorf("set LIMA_HOME to %s: %w", home, err)
	}
	version.Version = testedVersion
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == module {
				version.Version = strings.TrimPrefix(dep.Version, "v")
			}
		}
	}
	r := &Runtime{log: log}
	logger := logrus.StandardLogger()
	logger.SetOutput(io.Discard)
	logger.SetLevel(logrus.DebugLevel)
	hooks := logrus.LevelHooks{}
	hooks.Add(r)
	logger.ReplaceHooks(hooks)
	logger.ExitFunc = func(int) { runtime.Goexit() }
	return r, nil
}

// Call runs a function that uses Lima. Lima exits, for example, when QEMU is too
// old; Call returns the message of such an exit as an error.
func (r *Runtime) Call(function func() error) error {
	result := make(chan error, 1)
	go func() {
		returned := false
		defer func() {
			if !returned {
				r.mu.Lock()
				defer r.mu.Unlock()
				result <- errors.New(r.fatal)
			}
		}()
		err := function()
		returned = true
		result <- err
	}()
	return <-result
}

// Levels implements logrus.Hook.
func (*Runtime) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements logrus.Hook. It forwards Lima's log to the agent's.
func (r *Runtime) Fire(e *logrus.Entry) error {
	level := slog.LevelDebug
	switch e.Level {
	case logrus.PanicLevel, logrus.FatalLevel:
		r.mu.Lock()
		r.fatal = e.Message
		r.mu.Unlock()
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
	r.log.LogAttrs(context.Background(), level, "lima: "+e.Message, attrs...)
	return nil
}
