package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/remotecommand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

const (
	// followers and watchers are the clients of a daemon that follow a log, and mirrors.
	followers = 5
	watchers  = 5
	// following is how long a client reads a stream before it opens another one.
	following = 20 * time.Second
	// again is the pause between two streams of a client.
	again = 21 * time.Second
)

// streams returns the tasks with streams and watches.
func (u *user) streams() []task {
	tasks := []task{
		{name: "exec", every: 5 * time.Second, do: u.exec},
		{name: "attach", every: again, do: u.attach},
		{name: "stats", every: again, do: func(ctx context.Context) error { return u.follow(ctx, "stats") }},
	}
	for range followers {
		tasks = append(tasks, task{name: "log", every: again, do: func(ctx context.Context) error {
			return u.follow(ctx, "log?follow=true&tailLines=10")
		}})
	}
	for range watchers {
		tasks = append(tasks, task{name: "watch", every: again, do: u.watch})
	}
	return tasks
}

// url returns the URL of a subresource of the talking container.
func (u *user) url(api clients, subresource string) string {
	return api.config.Host + containerPath(u.talker) + "/" + subresource
}

// follow reads a stream for a while. The stream must have content, and must not end before.
func (u *user) follow(ctx context.Context, subresource string) error {
	ctx, cancel := context.WithTimeout(ctx, following)
	defer cancel()
	api := u.api()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.url(api, subresource), nil) //nolint:gosec // the daemon under test
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	response, err := api.http.Do(request) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("follow: %w: %s: %s", errEnded, response.Status, text)
	}
	n, err := io.Copy(io.Discard, response.Body)
	switch {
	case !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("follow: %w after %d bytes: %w", errEnded, n, errors.Join(err, errors.New(response.Trailer.Get("X-Rdd-Reason"))))
	case n == 0:
		return errors.New("follow: the stream has no content")
	}
	return nil
}

// exec runs a command.
func (u *user) exec(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return u.remote(ctx, "exec?"+url.Values{"command": {busybox, "true"}}.Encode())
}

// attach is attached for a while.
func (u *user) attach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, following)
	defer cancel()
	if err := u.remote(ctx, "attach"); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("attach: %w: %w", errEnded, err)
	}
	return nil
}

func (u *user) remote(ctx context.Context, subresource string) error {
	api := u.api()
	executor, err := remotecommand.NewWebSocketExecutor(api.config, http.MethodGet, u.url(api, subresource))
	if err != nil {
		return fmt.Errorf("make an executor: %w", err)
	}
	return executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: io.Discard, Stderr: io.Discard})
}

// watch lists and watches images and volumes, as an informer does, for a while.
func (u *user) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, following+answerTimeout)
	defer cancel()
	for _, list := range []client.ObjectList{&containersv1.VolumeList{}, &containersv1.ImageList{}} {
		events, err := u.api().Watch(ctx, list, client.InNamespace(appv1.DefaultNamespace))
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		defer events.Stop()
		if err := read(ctx, events, following/2); err != nil {
			return err
		}
	}
	return nil
}

// read reads the events of a watch for a while.
func read(ctx context.Context, events watch.Interface, lasts time.Duration) error {
	end := time.After(lasts)
	for n := 0; ; n++ {
		select {
		case event, ok := <-events.ResultChan():
			if !ok {
				return fmt.Errorf("watch: %w after %d events", errEnded, n)
			}
			if event.Type == watch.Error {
				return fmt.Errorf("watch: %+v", event.Object)
			}
		case <-end:
			if n == 0 {
				return errors.New("watch: there was no event")
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
