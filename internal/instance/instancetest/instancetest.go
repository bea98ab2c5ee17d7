// Package instancetest creates instances for the tests of other packages. They never
// use the files of the user's own instances.
package instancetest

import (
	"path/filepath"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// Home makes an empty directory the user's home for the rest of the test, and clears
// all other variables that determine the paths of instances, and of the configurations
// of docker and kubectl.
func Home(t *testing.T) string {
	t.Helper()
	home := testkit.ShortDir(t)
	t.Setenv("HOME", home)
	for _, name := range []string{
		"XDG_DATA_HOME", "XDG_STATE_HOME", instance.EnvName,
		"DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "KUBECONFIG",
	} {
		t.Setenv(name, "")
	}
	return home
}

// Create creates an instance in a home of its own. It never had a daemon.
func Create(t *testing.T, name string) instance.Instance {
	t.Helper()
	Home(t)
	inst, err := instance.New(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := inst.Create(); err != nil {
		t.Fatal(err)
	}
	return inst
}

// At returns an instance with all its files in a directory of its own, for a daemon in
// the test's process. It does not change the environment.
func At(tb testing.TB, name string) instance.Instance {
	tb.Helper()
	dir := testkit.ShortDir(tb)
	return instance.Instance{
		Name: name, Dir: dir, LogDir: filepath.Join(dir, "log"), ShortDir: dir,
		TLSDir: filepath.Join(dir, "tls"), DataDir: filepath.Join(dir, "data"),
		Config: filepath.Join(dir, "kubeconfig"), DockerSocket: filepath.Join(dir, "docker.sock"),
	}
}
