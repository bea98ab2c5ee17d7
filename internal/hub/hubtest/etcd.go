package hubtest

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
)

// StartEtcd runs an etcd without a hub for a test, and returns its endpoint. The program is
// the one that 'make kube' builds, or else the one on the PATH, such as that of Debian's
// etcd-server. Without one the test is skipped; with RDD_TEST_KUBE=1 it fails.
func StartEtcd(tb testing.TB) (endpoint string) {
	tb.Helper()
	program, err := findEtcd()
	switch {
	case err != nil && IsEnabled():
		tb.Fatal(err)
	case err != nil:
		tb.Skip(err)
	}
	c := &Cluster{programs: filepath.Dir(program), dir: tb.TempDir(), client: &http.Client{Timeout: answerTimeout}}
	if c.etcdPort, err = reservePort(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	endpoint = "http://" + c.etcdPort.address()
	if err := c.upOne(tb.Context(), &c.etcd, etcdProgram, c.etcdFlags(), endpoint+"/readyz"); err != nil {
		tb.Fatal(err)
	}
	return endpoint
}

func findEtcd() (string, error) {
	if root, err := moduleRoot(); err == nil {
		if built := filepath.Join(root, ".cache", "kube", etcdProgram); isFile(built) {
			return built, nil
		}
	}
	program, err := exec.LookPath(etcdProgram)
	if err != nil {
		return "", fmt.Errorf("etcd is missing: run 'make kube', or install etcd-server: %w", err)
	}
	return program, nil
}
