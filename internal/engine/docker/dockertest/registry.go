//go:build linux

package dockertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/enginetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// StartRegistry starts a registry on loopback that ends with the test, and returns its
// host. It skips the test where Debian's docker-registry is missing.
func StartRegistry(tb testing.TB, spec enginetest.Registry) (host string) {
	tb.Helper()
	if spec.Hangs {
		return listenSilently(tb)
	}
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		tb.Skipf("no docker-registry on this machine: %v", err)
	}
	dir := tb.TempDir()
	host = freeAddress(tb)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
		return path
	}
	config := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s}\n",
		filepath.Join(dir, "data"), host)
	if spec.Password != "" {
		hash, err := bcrypt.GenerateFromPassword([]byte(spec.Password), bcrypt.MinCost)
		if err != nil {
			tb.Fatal(err)
		}
		config += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}\n", write("htpasswd", enginetest.RegistryUser+":"+string(hash)+"\n"))
	}
	run(tb, exec.Command(program, "serve", write("config.yml", config))) //nolint:gosec,noctx // it ends with the test
	testkit.EventuallyTrue(tb, fixtureTimeout, "the registry", func() bool { return answers(tb.Context(), "http://"+host+"/v2/") })
	return host
}

// run runs a program until the test has ended.
func run(tb testing.TB, cmd *exec.Cmd) {
	tb.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return true
}

func freeAddress(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // on loopback
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// listenSilently accepts connections and never answers.
func listenSilently(tb testing.TB) (address string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // on loopback
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			tb.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return listener.Addr().String()
}
