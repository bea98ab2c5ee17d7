package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// parallel is the number of concurrent requests that fill the engine.
const parallel = 4

// testEngine is the engine of the benchmark. Its containers keep running when it ends,
// as they do when a user upgrades Docker.
type testEngine struct {
	*dockerd.Daemon

	dir string
}

func startDockerd(ctx context.Context, dir string) (*testEngine, error) {
	engine, err := dockerd.Start(ctx, dir, "--live-restore")
	return &testEngine{Daemon: engine, dir: dir}, err
}

// link returns the path at which the daemon finds the engine: a link to the socket or
// to that of the proxy.
func (d *testEngine) link() string { return filepath.Join(d.dir, "engine.sock") }

// pointTo lets the link refer to a socket.
func (d *testEngine) pointTo(socket string) error {
	next := d.link() + ".new"
	if err := errors.Join(os.Symlink(socket, next), os.Rename(next, d.link())); err != nil {
		return fmt.Errorf("link the engine's socket: %w", err)
	}
	return nil
}

// contents returns the identities of all objects, with the state of containers.
func contents(ctx context.Context, e *dockerd.API) (map[string]string, error) {
	want := map[string]string{namespaces + "/" + containersv1.MobyNamespace: ""}
	all, err := e.Containers(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		want[containers+"/"+c.ID] = c.State
	}
	pictures, err := e.Images(ctx)
	if err != nil {
		return nil, err
	}
	for _, image := range pictures {
		for _, tag := range image.RepoTags {
			want[images+"/"+tag] = ""
		}
		if len(image.RepoTags) == 0 {
			want[images+"/"+image.ID] = ""
		}
	}
	names, err := e.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		want[volumes+"/"+name] = ""
	}
	return want, nil
}
