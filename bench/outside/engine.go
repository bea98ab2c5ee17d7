package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// parallel is how many requests fill the engine at once.
const parallel = 4

// engine is the Docker Engine API, as far as it is needed to make objects.
type engine struct {
	client *http.Client
}

func newEngine(socket string) *engine {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &engine{client: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: parallel}}}
}

// call sends one request, and decodes the answer into out unless that is nil.
func (e *engine) call(ctx context.Context, method, path string, body io.Reader, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := e.client.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(answer))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// importImage makes an image of a tar; the label makes it distinct.
func (e *engine) importImage(ctx context.Context, repo, tag string, content []byte) error {
	query := url.Values{
		"fromSrc": {"-"}, "repo": {repo}, "tag": {tag},
		"changes": {"LABEL made=" + repo + tag, `CMD ["/bin/sleep","86400"]`},
	}
	return e.call(ctx, http.MethodPost, "/images/create?"+query.Encode(), bytes.NewReader(content), nil)
}

// createContainer returns its ID. The container ends at once when it is stopped,
// so that no time is measured that is its own.
func (e *engine) createContainer(ctx context.Context, name, image string) (string, error) {
	var answer struct{ ID string }
	body := strings.NewReader(fmt.Sprintf(`{"Image":%q,"Labels":{"name":%q},"StopSignal":"SIGKILL"}`, image, name))
	err := e.call(ctx, http.MethodPost, "/containers/create?name="+name, body, &answer)
	return answer.ID, err
}

func (e *engine) createVolume(ctx context.Context, name string) error {
	return e.call(ctx, http.MethodPost, "/volumes/create", strings.NewReader(fmt.Sprintf(`{"Name":%q}`, name)), nil)
}

// connect returns the instance's engine.
func connect(ctx context.Context, d *daemon) (*engine, error) {
	socket, err := d.path(ctx, "docker_socket")
	if err != nil {
		return nil, err
	}
	return newEngine(socket), nil
}

// fill makes what the sizes say, and measures how long until all is mirrored.
func fill(ctx context.Context, d *daemon, r *report, n sizes) error {
	e, err := connect(ctx, d)
	if err != nil {
		return err
	}
	small, err := tarOf("/dev/null", "empty")
	if err != nil {
		return err
	}
	busybox, err := tarOf("/bin/busybox", "bin/sleep")
	if err != nil {
		return err
	}
	began := time.Now()
	if err := e.importImage(ctx, "base", "1", busybox); err != nil {
		return err
	}
	jobs, making := errgroup.WithContext(ctx)
	jobs.SetLimit(parallel)
	for i := 1; i < n.images; i++ {
		jobs.Go(func() error { return e.importImage(making, "image", fmt.Sprint(i), small) })
	}
	for i := range n.volumes {
		jobs.Go(func() error { return e.createVolume(making, fmt.Sprintf("Volume_%d", i)) })
	}
	for i := range n.containers {
		jobs.Go(func() error {
			id, err := e.createContainer(making, fmt.Sprintf("container%d", i), "base:1")
			if err != nil || i >= n.running {
				return err
			}
			return e.call(making, http.MethodPost, "/containers/"+id+"/start", nil, nil)
		})
	}
	if err := jobs.Wait(); err != nil {
		return err
	}
	made := time.Now()
	k, err := newKube(ctx, d)
	if err != nil {
		return err
	}
	want := n.images + n.containers + n.volumes + 1
	if err := k.waitFor(ctx, "all objects to be mirrored", func(ctx context.Context) (bool, error) {
		prints, err := k.fingerprint(ctx)
		return len(prints) == want, err
	}); err != nil {
		return err
	}
	r.took(fmt.Sprintf("the engine makes %d objects", want-1), made.Sub(began))
	r.took("all mirrored after the last one was made", time.Since(made))
	return r.memory(ctx, "after that", d)
}

// tarOf is a tar with one file in it.
func tarOf(file, name string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s (Debian's busybox-static has it): %w", file, err)
	}
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	if _, err := writer.Write(content); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	return buffer.Bytes(), nil
}
