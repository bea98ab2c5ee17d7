package hubtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// enabled is the variable that enables the tests with a hub, which take minutes.
const enabled = "RDD_TEST_KUBE"

const (
	etcdProgram      = "etcd"
	apiServerProgram = "kube-apiserver"
	managerProgram   = "kube-controller-manager"
)

// Programs returns the directory into which `make kube` builds the programs. It is in
// the repository that the working directory belongs to.
func Programs() (dir string, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", fmt.Errorf("find the programs of the hub: %w", err)
	}
	dir = filepath.Join(root, ".cache", "kube")
	return dir, checkPrograms(dir)
}

// moduleRoot returns the root of the Go module that the working directory is in.
func moduleRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	root := wd
	for !isFile(filepath.Join(root, "go.mod")) {
		if root == filepath.Dir(root) {
			return "", fmt.Errorf("%s is in no Go module", wd)
		}
		root = filepath.Dir(root)
	}
	return root, nil
}

func checkPrograms(dir string) error {
	for _, name := range []string{etcdProgram, apiServerProgram, managerProgram} {
		if path := filepath.Join(dir, name); !isFile(path) {
			return fmt.Errorf("the hub's program %s is missing: run 'make kube'", path)
		}
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// IsEnabled reports whether the tests with a hub are enabled.
func IsEnabled() bool { return os.Getenv(enabled) == "1" }

// Require returns the directory of Programs. It skips the test unless RDD_TEST_KUBE=1 is
// set, as 'make hub-test' does, and fails it without the programs.
func Require(tb testing.TB) (dir string) {
	tb.Helper()
	if !IsEnabled() {
		tb.Skip("tests with a hub run with 'make hub-test'")
	}
	dir, err := Programs()
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}
