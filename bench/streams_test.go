//go:build linux

package bench_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker/dockertest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/enginetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

const (
	// logLines of 100 bytes are in the log that is read.
	logLines = "300000"
	// execsPerRun is the number of commands of one operation.
	execsPerRun = 50
)

// streaming is a daemon that mirrors a real engine, with a container that has a log.
type streaming struct {
	b        *testing.B
	daemon   *daemon
	engine   engine.Engine
	endpoint string
	http     *http.Client
	id       string
}

func newStreaming(b *testing.B) *streaming {
	b.Helper()
	if !dockertest.CanRun() {
		b.Skip("no static /bin/busybox to run in containers")
	}
	dockerd := dockertest.Start(b)
	s := &streaming{b: b, endpoint: dockerd.Endpoint()}
	f := dockertest.NewFixture(b, s.endpoint)
	f.ImportImage("app:1")
	s.id = f.CreateContainer(enginetest.Container{Name: "talk", Image: "app:1",
		Script: "/bin/busybox yes " + strings.Repeat("x", 99) + " | /bin/busybox head -n " + logLines + "; exec /bin/busybox sleep 86400"})
	f.StartContainer(s.id)
	var err error
	s.engine, err = docker.Dialer(docker.Settings{}, slog.New(slog.DiscardHandler))(s.endpoint)
	s.check(err)
	b.Cleanup(func() { _ = s.engine.Close() })
	s.daemon = start(b, instancetest.At(b, "bench"), docker.Settings{})
	s.daemon.updateApp(func(spec *appv1.AppSpec) {
		spec.Running = true
		spec.VM = appv1.VM{Driver: appv1.DriverExternal, Endpoint: s.endpoint}
	})
	s.http, err = rest.HTTPClientFor(s.daemon.config)
	s.check(err)
	testkit.EventuallyTrue(b, timeout, "the log to be written", func() bool { return s.logs(s.apiLog) == 30_000_000 })
	return s
}

func (s *streaming) check(err error) {
	s.b.Helper()
	if err != nil {
		s.b.Fatal(err)
	}
}

func (s *streaming) path(subresource string) string {
	return s.daemon.config.Host + "/apis/containers.rancherdesktop.io/v1alpha1/namespaces/" + appv1.DefaultNamespace + "/containers/" + s.id + "/" + subresource
}

// logs returns the size of the log.
func (s *streaming) logs(open func() io.ReadCloser) int64 {
	body := open()
	defer func() { _ = body.Close() }()
	n, err := io.Copy(io.Discard, body)
	s.check(err)
	return n
}

func (s *streaming) apiLog() io.ReadCloser {
	resp, err := s.http.Get(s.path("log")) //nolint:noctx // the daemon of this test
	s.check(err)
	return resp.Body
}

// dockerLog is what the docker CLI prints.
func (s *streaming) dockerLog() io.ReadCloser {
	cmd := exec.Command("docker", "-H", s.endpoint, "logs", "talk") //nolint:noctx // it ends with its pipe
	out, err := cmd.StdoutPipe()
	s.check(err)
	s.check(cmd.Start())
	return out
}

// BenchmarkLogThroughput reads the same log with the docker CLI and through the API.
func BenchmarkLogThroughput(b *testing.B) {
	if _, err := exec.LookPath("docker"); err != nil {
		b.Skip("the docker CLI is not installed")
	}
	s := newStreaming(b)
	var size int64
	var took [2]time.Duration
	for b.Loop() {
		for i, open := range []func() io.ReadCloser{s.dockerLog, s.apiLog} {
			began := time.Now()
			size = s.logs(open)
			took[i] += time.Since(began)
		}
	}
	for i, name := range []string{"docker-MB/s", "api-MB/s"} {
		b.ReportMetric(float64(size)*float64(b.N)/1e6/took[i].Seconds(), name)
	}
}

// BenchmarkExec runs a command with the requests of docker exec, and through the API with that of
// Kubernetes, from the request to the exit code.
func BenchmarkExec(b *testing.B) {
	s := newStreaming(b)
	var docker, api latencies
	for b.Loop() {
		for range execsPerRun {
			began := time.Now()
			s.dockerExec()
			docker.add(time.Since(began))
			began = time.Now()
			s.apiExec()
			api.add(time.Since(began))
		}
	}
	docker.report(b, "docker")
	api.report(b, "api")
}

// dockerExec makes the requests of docker exec.
func (s *streaming) dockerExec() {
	ctx := context.Background()
	t, err := s.engine.Exec(ctx, s.id, engine.ExecOptions{Command: execCommand(), Stdout: true, Stderr: true})
	s.check(err)
	defer func() { _ = t.Close() }()
	s.check(t.CopyTo(io.Discard, io.Discard))
	_, err = t.Wait(ctx)
	s.check(err)
}

func execCommand() []string { return []string{"/bin/busybox", "true"} }

func (s *streaming) apiExec() {
	query := url.Values{"command": execCommand()}
	executor, err := remotecommand.NewWebSocketExecutor(s.daemon.config, http.MethodGet, s.path("exec")+"?"+query.Encode())
	s.check(err)
	s.check(executor.StreamWithContext(context.Background(), remotecommand.StreamOptions{Stdout: io.Discard, Stderr: io.Discard}))
}

// BenchmarkFollowers opens 200 followers of a log.
func BenchmarkFollowers(b *testing.B) {
	const followers = 200
	s := newStreaming(b)
	for b.Loop() {
		before := measureMemory()
		var bodies []io.Closer
		for range followers {
			resp, err := s.http.Get(s.path("log?follow=true&tailLines=1")) //nolint:noctx // the daemon of this test
			s.check(err)
			_, err = io.ReadFull(resp.Body, make([]byte, 100))
			s.check(err)
			bodies = append(bodies, resp.Body)
		}
		b.ReportMetric(before.added()*1024/followers, "KiB/follower")
		for _, body := range bodies {
			_ = body.Close()
		}
	}
}
