package main

import (
	"context"
	"errors"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// memoryInterval is the pause between two collections of garbage, and memoryReadings
	// their number.
	memoryInterval = 3 * time.Second
	memoryReadings = 10
)

// memoryPoint is the memory of the hub with a number of mirrors, in bytes.
type memoryPoint struct {
	mirrors               int
	resident, heap, store float64
}

type memoryPoints []memoryPoint

// memoryPoint reads the memory of the API server, without machines, after it has collected
// its garbage repeatedly.
func (b *bench) memoryPoint(ctx context.Context) error {
	p, err := b.hub.memoryNow(ctx)
	if err != nil {
		return err
	}
	b.progressf("API server with %d mirrors: %.0f MB private, of that %.0f MB objects of its heap; etcd's file has %.0f MB",
		p.mirrors, p.resident/(1<<20), p.heap/(1<<20), p.store/(1<<20))
	b.run.Point("private memory of the API server by number of mirrors", figures.SubjectRdd, figures.Megabytes, p.mirrors, p.resident/(1<<20))
	b.memory = append(b.memory, p)
	first := b.memory[0]
	if n := float64(p.mirrors - first.mirrors); n > 0 && len(b.memory) > 1 {
		slope := func(name string, more float64) {
			f := b.run.Figure(group, name, figures.Kilobytes)
			f.Values = []float64{more / n / 1024} // from the first to the last point
		}
		slope("API server, private memory (RssAnon) for each mirror", p.resident-first.resident)
		slope("API server, objects of the heap for each mirror", p.heap-first.heap)
		slope("etcd, bytes of its file for each mirror", p.store-first.store)
	}
	return nil
}

func (h *hub) memoryNow(ctx context.Context) (p memoryPoint, err error) {
	// The API server caches each kind from its first reader on.
	if p.mirrors, err = h.mirrors(ctx); err != nil {
		return p, err
	}
	for i := range memoryReadings {
		if err := errors.Join(h.collectGarbage(ctx), rddtest.Sleep(ctx, memoryInterval)); err != nil {
			return p, err
		}
		bytes, err := residentMemory(apiServer)
		if err != nil {
			return p, err
		}
		if i == 0 || float64(bytes) < p.resident {
			p.resident = float64(bytes)
		}
	}
	if err := h.collectGarbage(ctx); err != nil {
		return p, err
	}
	if p.heap, err = h.metric(ctx, "go_memstats_heap_alloc_bytes"); err != nil {
		return p, err
	}
	p.store, err = h.metric(ctx, "apiserver_storage_size_bytes")
	return p, err
}
