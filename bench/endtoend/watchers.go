package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// watchers are clients that watch, each over a connection of its own.
type watchers struct {
	cancel context.CancelFunc
	bodies []io.Closer
	ended  sync.WaitGroup
}

// openWatchers opens a watch for each of a number of clients. They read what they receive
// and ignore it, or do not read at all. They begin after the existing objects.
func openWatchers(ctx context.Context, d *rddtest.Daemon, count int, paths []string, read bool) (*watchers, error) {
	config, err := d.RESTConfig()
	if err != nil {
		return nil, err
	}
	main, err := newRdd(d)
	if err != nil {
		return nil, err
	}
	revision, err := main.revision(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &watchers{cancel: cancel}
	var mutex sync.Mutex
	opening, asking := errgroup.WithContext(context.WithoutCancel(ctx))
	opening.SetLimit(parallel)
	for range count {
		opening.Go(func() error {
			client, err := ownConnection(config)
			if err != nil {
				return err
			}
			for _, path := range paths {
				body, err := client.Get().AbsPath(path).Param("watch", "1").Param("resourceVersion", fmt.Sprint(revision)).Stream(ctx)
				if err != nil {
					return fmt.Errorf("watch %s: %w", path, errors.Join(err, asking.Err()))
				}
				mutex.Lock()
				w.bodies = append(w.bodies, body)
				mutex.Unlock()
				if read {
					w.ended.Go(func() { _, _ = io.Copy(io.Discard, body) }) // until close
				}
			}
			return nil
		})
	}
	if err := opening.Wait(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// ownConnection returns a client that shares its connection with no other. client-go shares
// one for all clients that dial alike.
func ownConnection(config *rest.Config) (rest.Interface, error) {
	own := rest.CopyConfig(config)
	own.Dial = (&net.Dialer{}).DialContext
	return restClient(own)
}

func (w *watchers) close() {
	w.cancel()
	for _, body := range w.bodies {
		_ = body.Close() // the context has ended
	}
	w.ended.Wait()
}
