package main

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// engineThatReports returns an engine that makes every change, after calling a function.
func engineThatReports(t *testing.T, change func()) *dockerd.API {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	engine := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			change()
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = w.Write([]byte(`{"Id": "holder", "State": {"Status": "exited"}}`))
	})}
	go func() { _ = engine.Serve(listener) }()
	t.Cleanup(func() { _ = engine.Close() })
	return dockerd.NewAPI(socket)
}

// keptLaneWithoutDaemon returns a lane whose daemon is down, and the number of changes that
// the calls of its engine.
func keptLaneWithoutDaemon(t *testing.T, s shape) (*keptLane, *atomic.Int32) {
	t.Helper()
	changes := &atomic.Int32{}
	c := &chaos{
		dockerd: &dockerd.Daemon{API: engineThatReports(t, func() { changes.Add(1) })}, daemon: &daemon{}, ledger: newLedger(),
		events: newEngineLog(), pool: &pool{},
	}
	for _, l := range newKeeper(c).lanes {
		if l.shape == s {
			l.random, l.object, l.resource, l.uid = randomOf(1), "kept", "kept", "u"
			return l, changes
		}
	}
	t.Fatalf("no lane is a %s", s)
	return nil, nil
}

// Without the mirror, the lane does not know the desired state. To request the one that the
// container has is no new generation, and has no effect.
func TestKeptStateIsNotChangedUnread(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, s := range []shape{boxShape, brokenShape} {
		l, changes := keptLaneWithoutDaemon(t, s)
		for range 50 {
			l.step(ctx)
		}
		if l.last != nil || changes.Load() > 0 || l.ledger.operations > 0 {
			t.Errorf("%s: %d changes, %d operations, last %v", s, changes.Load(), l.ledger.operations, l.last)
		}
	}
}

// A delete that the daemon did not store leaves the object held, by one container.
func TestKeptObjectHasOneHolder(t *testing.T) {
	l, changes := keptLaneWithoutDaemon(t, volumeShape)
	for range 50 {
		l.holdSometimes(t.Context())
	}
	if l.holder == "" || changes.Load() != 1 {
		t.Errorf("%d containers were created to hold the object, the last is %q", changes.Load(), l.holder)
	}
}

// The engine can prune a volume that is being created, whatever its labels, and an image that
// has no tag yet.
func TestKeptObjectIsNotMadeDuringPrune(t *testing.T) {
	p := &pool{}
	var isPruning, isMaking, changes atomic.Int32
	engine := engineThatReports(t, func() {
		changes.Add(1)
		if p.pruning.TryRLock() {
			p.pruning.RUnlock()
		} else {
			isPruning.Add(1)
		}
		if p.pruning.TryLock() {
			p.pruning.Unlock()
		} else {
			isMaking.Add(1)
		}
	})
	k := newKeeper(&chaos{dockerd: &dockerd.Daemon{API: engine}, daemon: &daemon{}, ledger: newLedger(), pool: p})
	for _, l := range k.lanes {
		l.make(t.Context())
	}
	if isMaking.Load() != changes.Load() || changes.Load() < int32(len(k.lanes)) || isPruning.Load() != 0 {
		t.Errorf("a prune is possible during %d of %d creations", changes.Load()-isMaking.Load(), changes.Load())
	}
	changes.Store(0)
	w := &worker{pool: p, engine: engine, ledger: k.ledger}
	w.pruneVolumes(t.Context())
	w.pruneImages(t.Context())
	if isPruning.Load() != changes.Load() || changes.Load() < 2 {
		t.Errorf("a creation is possible during %d of %d prunes", changes.Load()-isPruning.Load(), changes.Load())
	}
}
