package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// The time of a pending change is the engine's: the judge does not count it.
func TestRecorderPendingUntilEngineAnswers(t *testing.T) {
	dir := testkit.ShortDir(t)
	target, socket := filepath.Join(dir, "engine"), filepath.Join(dir, "recorder")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", target)
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan struct{})
	engine := &httptest.Server{Listener: listener, Config: &http.Server{
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-answer }),
		ReadHeaderTimeout: time.Minute,
	}}
	engine.Start()
	defer engine.Close()
	r, err := newRecorder(socket, target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.close() }()
	ended := make(chan error, 1)
	go func() { ended <- dockerd.NewAPI(socket).RemoveVolume(t.Context(), "v") }()
	testkit.EventuallyTrue(t, time.Minute, "the pending change", r.pending)
	close(answer)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	testkit.EventuallyTrue(t, time.Minute, "the end of the change", func() bool { return !r.pending() })
}
