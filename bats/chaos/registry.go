package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

const (
	// remoteImages is the number of images that users pull.
	remoteImages = 3
	// localTags is the number of tags that users give to images, and push.
	localTags = 4
	// blobSize is the size of the part that each remote image has of its own, so that
	// a pull takes a while.
	blobSize = 4 << 20
	// registryTimeout is how long a registry may take to start.
	registryTimeout = 10 * time.Second
)

// registry is Debian's docker-registry on loopback. It is never disturbed.
type registry struct {
	host    string
	process *exec.Cmd
}

// remote returns the tag of an image that the registry has.
func (r *registry) remote(n int) string { return fmt.Sprintf("%s/remote:%d", r.host, n) }

// local returns a tag that users give to images.
func (r *registry) local(n int) string { return fmt.Sprintf("%s/local:%d", r.host, n) }

// startRegistry starts a registry without images. The caller must call end.
func startRegistry(ctx context.Context, dir string) (*registry, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the registry's directory: %w", err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a port for the registry: %w", err)
	}
	r := &registry{host: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		return nil, fmt.Errorf("find a port for the registry: %w", err)
	}
	file := filepath.Join(dir, "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s}\n",
		filepath.Join(dir, "data"), r.host)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("configure the registry: %w", err)
	}
	// Not bound to ctx: end ends it.
	r.process = exec.Command("docker-registry", "serve", file) //nolint:noctx // see above
	r.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := r.process.Start(); err != nil {
		return nil, fmt.Errorf("start a registry (Debian's docker-registry has it): %w", err)
	}
	return r, r.await(ctx)
}

// await returns when the registry answers.
func (r *registry) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, registryTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.host+"/v2/", http.NoBody)
		if err != nil {
			return fmt.Errorf("ask the registry: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			return response.Body.Close()
		}
		if late := rddtest.Sleep(ctx, checkInterval/10); late != nil {
			return fmt.Errorf("wait for the registry: %w", errors.Join(late, err))
		}
	}
}

// end ends the registry.
func (r *registry) end() error {
	if err := r.process.Process.Kill(); err != nil {
		return fmt.Errorf("end the registry: %w", err)
	}
	_ = r.process.Wait() // it was killed
	return nil
}

// fill pushes the images that users pull, and removes them from the engine.
func (r *registry) fill(ctx context.Context, engine *dockerd.API) error {
	for n := range remoteImages {
		content, err := contentWithBlob()
		if err != nil {
			return err
		}
		if err := engine.ImportImage(ctx, r.host+"/remote", fmt.Sprint(n), content); err != nil {
			return err
		}
		if err := errors.Join(engine.Push(ctx, r.remote(n)), engine.Untag(ctx, r.remote(n))); err != nil {
			return err
		}
	}
	return nil
}

// contentWithBlob returns the content of an image that has a program and random bytes.
func contentWithBlob() ([]byte, error) {
	program, err := os.ReadFile(dockerd.Busybox)
	if err != nil {
		return nil, fmt.Errorf("read the program of an image: %w", err)
	}
	blob := make([]byte, blobSize)
	_, _ = rand.Read(blob) // it never fails
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, content := range map[string][]byte{"bin/sleep": program, "blob": blob} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return nil, fmt.Errorf("create a tar: %w", err)
		}
		if _, err := w.Write(content); err != nil {
			return nil, fmt.Errorf("create a tar: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("create a tar: %w", err)
	}
	return out.Bytes(), nil
}
