package main

import (
	"context"
	"log/slog"
	"os"
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
