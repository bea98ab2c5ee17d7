package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func signalSelf(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

func TestServeFirstSignalStopsCleanly(t *testing.T) {
	started := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- serveUntilSignalled(t.Context(), slog.New(slog.DiscardHandler), func(ctx context.Context) error {
			close(started)
			<-ctx.Done()
			return nil
		})
	}()
	<-started
	signalSelf(t)
	expectEnd(t, done, false)
}

func TestServeSecondSignalEndsAtOnce(t *testing.T) {
	started, stopping := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	hung := make(chan struct{})
	defer close(hung)
	go func() {
		done <- serveUntilSignalled(t.Context(), slog.New(slog.DiscardHandler), func(ctx context.Context) error {
			close(started)
			<-ctx.Done()
			close(stopping)
			<-hung
			return nil
		})
	}()
	<-started
	signalSelf(t)
	<-stopping
	signalSelf(t)
	expectEnd(t, done, true)
}

// lines sends each line of a log.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// TestServeIgnoresSIGHUP sends two signals, because a second one that is not ignored
// would end the daemon at once.
func TestServeIgnoresSIGHUP(t *testing.T) {
	log := make(lines, 10)
	started := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- serveUntilSignalled(t.Context(), slog.New(slog.NewTextHandler(log, nil)), func(ctx context.Context) error {
			close(started)
			<-ctx.Done()
			return nil
		})
	}()
	<-started
	for range 2 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		select {
		case line := <-log:
			if !strings.Contains(line, "SIGHUP is ignored") {
				t.Errorf("the log says %s", line)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the log does not mention SIGHUP")
		}
	}
	signalSelf(t)
	expectEnd(t, done, false)
}

func expectEnd(t *testing.T, done <-chan error, failed bool) {
	t.Helper()
	select {
	case err := <-done:
		if (err != nil) != failed {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the daemon did not end")
	}
}
