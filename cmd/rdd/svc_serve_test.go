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

func TestFirstSignalStopsCleanly(t *testing.T) {
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

func TestSecondSignalEndsAtOnce(t *testing.T) {
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

// TestServeIgnoresSIGHUP sends two, of which the second would end the daemon at
// once if they counted.
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
			t.Fatal("the log says nothing of SIGHUP")
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
		t.Fatal("it did not end")
	}
}
