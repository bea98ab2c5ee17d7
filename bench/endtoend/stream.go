package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

const (
	// logLines of 100 bytes are in the log that is read.
	logLines = 300_000
	// logGoal is how many times longer than by the docker CLI a log may be read: its
	// inverse is 80 % of the throughput.
	logGoal = 1.25
	// execGoal is how many milliseconds a command may take more than with the requests
	// of docker exec.
	execGoal = 3
	// followers is the number of clients that follow a log at once.
	followers = 200
	// logWriting is the pause between two readings of a log that is written meanwhile.
	logWriting = 100 * time.Millisecond
)

// streamer reads the streams of a container.
type streamer struct {
	*bench
	daemon *rddtest.Daemon
	rdd    *apiClient
	config *rest.Config
	http   *http.Client
	// id and name of the container.
	id, name string
}

// streams measures logs and commands of a container.
func (b *bench) streams(ctx context.Context, s *target) error {
	const image, name = "talk", "talk"
	busybox, err := dockerd.TarOf(dockerd.Busybox, "bin/busybox")
	if err != nil {
		return err
	}
	if err := b.docker.ImportImage(ctx, image, "1", busybox); err != nil {
		return err
	}
	script := fmt.Sprintf("/bin/busybox yes %s | /bin/busybox head -n %d; exec /bin/busybox sleep 86400", strings.Repeat("x", 99), logLines)
	id, err := b.docker.CreateContainer(ctx, name, image+":1", "/bin/busybox", "sh", "-c", script)
	if err != nil {
		return err
	}
	if err := b.docker.Do(ctx, "start", id); err != nil {
		return err
	}
	r := &streamer{bench: b, daemon: s.daemon, rdd: s.rdd, id: id, name: name}
	if err := r.measure(ctx); err != nil {
		return err
	}
	if err := b.docker.RemoveContainer(ctx, id); err != nil {
		return err
	}
	return b.docker.Untag(ctx, image+":1")
}

func (r *streamer) measure(ctx context.Context) (err error) {
	if r.config, err = r.daemon.RESTConfig(); err != nil {
		return err
	}
	if r.http, err = rest.HTTPClientFor(r.config); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	for _, measure := range []func(context.Context) error{r.written, r.follow, r.logs, r.execs} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// url returns the URL of a subresource of the container.
func (r *streamer) url(subresource string) string {
	return r.config.Host + r.rdd.path(containers) + "/" + r.id + "/" + subresource
}

// open opens a log through the API.
func (r *streamer) open(ctx context.Context, query string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url("log"+query), nil) //nolint:gosec // the daemon of the benchmark
	if err != nil {
		return nil, fmt.Errorf("read a log: %w", err)
	}
	response, err := r.http.Do(request) //nolint:gosec // as above
	if err != nil {
		return nil, fmt.Errorf("read a log: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("read a log: %s", response.Status)
	}
	return response.Body, nil
}

// written waits until the whole log is there, without the daemon, and for the mirror of
// the container.
func (r *streamer) written(ctx context.Context) error {
	t, err := r.rdd.track(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	if _, err := t.appeared(ctx, containers+"/"+r.id, "running"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		n, err := r.dockerLog(ctx)
		if err != nil || n == 100*logLines {
			return err
		}
		if err := rddtest.Sleep(ctx, logWriting); err != nil {
			return fmt.Errorf("wait for a log of %d lines, which has %d bytes: %w", logLines, n, err)
		}
	}
}

// apiLog reads the log through the API, and returns its size.
func (r *streamer) apiLog(ctx context.Context) (int64, error) {
	body, err := r.open(ctx, "")
	if err != nil {
		return 0, err
	}
	defer body.Close()
	return io.Copy(io.Discard, body)
}

// dockerLog reads the log with the docker CLI, and returns its size.
func (r *streamer) dockerLog(ctx context.Context) (int64, error) {
	cmd := r.dockerCommand(ctx, "logs", r.name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("docker logs: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("docker logs: %w", err)
	}
	n, err := io.Copy(io.Discard, out)
	if err != nil {
		return n, fmt.Errorf("docker logs: %w", err)
	}
	return n, cmd.Wait()
}

// logs compares the throughput of a log.
func (r *streamer) logs(ctx context.Context) error {
	for range r.rounds {
		var seconds [2]float64
		for i, way := range []struct {
			name string
			read func(context.Context) (int64, error)
		}{{"log, `docker logs`", r.dockerLog}, {"log, through the API", r.apiLog}} {
			began := time.Now()
			n, err := way.read(ctx)
			if err != nil {
				return err
			}
			if n != 100*logLines {
				return fmt.Errorf("%s: %d bytes, want %d", way.name, n, 100*logLines)
			}
			seconds[i] = time.Since(began).Seconds()
			r.add(figures.Streams, way.name, figures.MegabytesPerSecond, megabytes(n)/seconds[i])
		}
		r.add(figures.Streams, "time of the log through the API, times that of `docker logs`", figures.Times, seconds[1]/seconds[0], figures.Goal(logGoal))
	}
	return nil
}

// execs compares the time of a command, from the request to the exit code.
func (r *streamer) execs(ctx context.Context) error {
	command := []string{"/bin/busybox", "true"}
	docker := r.run.Figure(figures.Streams, "command, requests of `docker exec`", figures.Milliseconds, percentiles()...)
	api := r.run.Figure(figures.Streams, "command, through the API", figures.Milliseconds, percentiles()...)
	for range r.samples / 3 {
		began := time.Now()
		code, err := r.docker.Exec(ctx, r.id, command...)
		if err != nil {
			return err
		}
		if code != 0 {
			return fmt.Errorf("docker exec of %v: exit code %d", command, code)
		}
		docker.Values = append(docker.Values, milliseconds(time.Since(began)))
		began = time.Now()
		if err := r.exec(ctx, command); err != nil {
			return err
		}
		api.Values = append(api.Values, milliseconds(time.Since(began)))
	}
	r.difference(figures.Streams, "p50 of the command through the API, minus that of `docker exec`", api, docker, figures.Goal(execGoal))
	return nil
}

func (r *streamer) exec(ctx context.Context, command []string) error {
	query := url.Values{"command": command}
	executor, err := remotecommand.NewWebSocketExecutor(r.config, http.MethodGet, r.url("exec")+"?"+query.Encode())
	if err != nil {
		return fmt.Errorf("exec: %w", err)
	}
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: io.Discard, Stderr: io.Discard}); err != nil {
		return fmt.Errorf("exec: %w", err)
	}
	return nil
}

// follow measures what clients cost that follow a log at once.
func (r *streamer) follow(ctx context.Context) error {
	before, err := r.daemon.PrivateMemory()
	if err != nil {
		return err
	}
	began := time.Now()
	for range followers {
		body, err := r.open(ctx, "?follow=true&tailLines=1")
		if err != nil {
			return err
		}
		defer body.Close()
		if _, err := io.ReadFull(body, make([]byte, 100)); err != nil {
			return fmt.Errorf("follow a log: %w", err)
		}
	}
	took := time.Since(began)
	after, err := r.daemon.PrivateMemory()
	if err != nil {
		return err
	}
	r.add(figures.Streams, fmt.Sprintf("first line for each of %d followers, one after the other", followers), figures.Milliseconds, milliseconds(took)/followers)
	r.add(figures.Streams, fmt.Sprintf("private memory for each of %d followers", followers), figures.Kilobytes, float64(after-before)/1024/followers)
	return nil
}
