package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

// Size of one log file in megabytes, and how many old ones are kept: enough for
// a support bundle to hold the whole story.
const (
	logMegabytes = 20
	logBackups   = 5
)

type svcServeCmd struct {
	Port     int    `help:"Port of the API server on loopback; 0 lets the daemon choose." default:"0" placeholder:"N"`
	LogLevel string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL"`

	Namespace string `help:"Kubernetes namespace of the mirrors, if this is the first start." placeholder:"NAME"`
}

// Run is the daemon. The first SIGTERM or SIGINT stops the engine and then the
// daemon; the second ends the daemon at once and leaves the engine. SIGHUP is
// ignored.
func (c *svcServeCmd) Run(s *session) (err error) {
	if err := checkPort(c.Port); err != nil {
		return err
	}
	// Nothing that the daemon makes is for other users.
	syscall.Umask(0o077)
	if err := s.instance.Create(); err != nil {
		return err
	}
	lock, err := instance.Lock(s.instance.PidFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	version := buildVersion()
	self, _ := process.Find(os.Getpid())
	run := instance.Run{PID: os.Getpid(), Process: self.Start, Version: version, Started: time.Now()}
	if err := s.instance.SaveRun(run); err != nil {
		return err
	}
	file := &lumberjack.Logger{
		Filename: filepath.Join(s.instance.LogDir, lifecycle.LogName),
		MaxSize:  logMegabytes, MaxBackups: logBackups,
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	logger, err := newLogger(file, c.LogLevel)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "rdd: instance %q, pid %d, log %s\n", s.instance.Name, run.PID, file.Filename)
	logger.Info("daemon starts", slog.String("instance", s.instance.Name), slog.Int("pid", run.PID), slog.String("version", version))
	ctx, cancel := whileHeld(s.ctx, lock, logger)
	defer cancel()
	err = serveUntilSignalled(ctx, logger, func(ctx context.Context) error {
		return supervisor.Run(ctx, supervisor.Config{
			Instance: s.instance, Port: c.Port, Namespace: c.Namespace, Logger: logger, Version: version,
		})
	})
	if err != nil {
		logger.Error("daemon ends with an error", slog.Any("error", err))
		return err
	}
	logger.Info("daemon ends")
	return nil
}

// lockLook is the pause between two looks at the pid file.
const lockLook = time.Second

// whileHeld returns a context that ends when the pid file is not this daemon's any
// more: the user has removed the instance's directories, and the next daemon would
// run beside this one. The engine is stopped then, as by a signal.
func whileHeld(ctx context.Context, lock *instance.PidLock, logger *slog.Logger) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		if lock.WaitLost(ctx, lockLook) == nil {
			logger.Error("stopping with the engine: the pid file of this daemon was removed or replaced")
			cancel()
		}
	}()
	return ctx, cancel
}

func newLogger(file *lumberjack.Logger, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, &usageError{err.Error()}
	}
	return slog.New(slog.NewTextHandler(file, &slog.HandlerOptions{Level: l})), nil
}

// serveUntilSignalled runs serve with a context that the first signal ends. The
// second signal returns at once, so that the process ends while serve may hang.
// SIGHUP does nothing: a terminal that closes must not stop containers, and there
// is no configuration to read again. It is caught and not set to be ignored,
// since an engine and its containers would inherit that.
func serveUntilSignalled(ctx context.Context, logger *slog.Logger, serve func(context.Context) error) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- serve(ctx) }()
	for count := 0; ; {
		select {
		case err := <-done:
			return err
		case <-hangups:
			logger.Info("SIGHUP is ignored; 'rdd svc stop' or SIGTERM stops the daemon and its engine")
		case got := <-signals:
			if count++; count > 1 {
				return fmt.Errorf("ended at once by a second signal (%s); the engine may have been left running, 'rdd svc stop' stops it", got)
			}
			logger.Info("stopping, as a signal asks", slog.String("signal", got.String()))
			cancel()
		}
	}
}
