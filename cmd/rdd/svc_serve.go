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
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/heaptrim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

// Size of one log file in megabytes, and the number of rotated files.
const (
	logMegabytes = 20
	logBackups   = 5
)

type svcServeCmd struct {
	Port     int    `help:"Port of the API server on loopback; 0 for any free port." default:"0" placeholder:"N"`
	LogLevel string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL"`

	Namespace string `help:"Kubernetes namespace of the mirrors. Used at the first start only." placeholder:"NAME"`
}

// Run runs the daemon. The first SIGTERM or SIGINT stops the engine, then the
// daemon. The second ends the daemon at once, and can leave the engine running.
// SIGHUP is ignored.
func (c *svcServeCmd) Run(s *session) (err error) {
	if err := checkPort(c.Port); err != nil {
		return err
	}
	// Other users get no access to files of the daemon.
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
	defer heaptrim.Start(trimAfter)()
	ctx, cancel := whileHeld(s.ctx, lock, logger)
	defer cancel()
	err = serveUntilSignalled(ctx, logger, func(ctx context.Context) error {
		return supervisor.Run(ctx, supervisor.Config{
			Instance: s.instance, Port: c.Port, Namespace: c.Namespace, Logger: logger, Version: version,
			Doctor: s.reportOfDoctor, SupportBundle: s.writeSupportBundle,
		})
	})
	if err != nil {
		logger.Error("daemon failed", slog.Any("error", err))
		return err
	}
	logger.Info("daemon ends")
	return nil
}

// trimAfter is the time from the end of a burst of work, such as a full sync, until its
// memory is returned to the operating system.
const trimAfter = 2 * time.Second

// lockInterval is the pause between two checks of the pid file.
const lockInterval = time.Second

// whileHeld returns a context that ends when this daemon loses its pid file. That
// happens when a user removes the instance's directories: the next daemon would
// then run beside this one. The engine is stopped, as by a signal.
func whileHeld(ctx context.Context, lock *instance.PidLock, logger *slog.Logger) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		if lock.WaitLost(ctx, lockInterval) == nil {
			logger.Error("stopping the engine and the daemon: the pid file was removed or replaced")
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

// serveUntilSignalled runs serve with a context that the first signal ends. At the
// second signal it returns at once, so the process ends even if serve hangs. SIGHUP
// does nothing: closing a terminal must not stop containers. It is caught rather
// than ignored, because the engine and its containers would inherit an ignored
// signal.
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
				return fmt.Errorf("ended by a second signal (%s): the engine may still be running; 'rdd svc stop' stops it", got)
			}
			logger.Info("stopping after a signal", slog.String("signal", got.String()))
			cancel()
		}
	}
}
