// Package controlplanetest starts real control planes for the tests of other
// packages.
package controlplanetest

import (
	"context"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
)

// timeout is how long a start or a stop may take on a busy machine.
const timeout = time.Minute

// Options are those of a control plane in directories of its own, which go with
// the test. Its logs are discarded.
func Options(t testing.TB) controlplane.Options {
	t.Helper()
	dir := t.TempDir()
	return controlplane.Options{
		DataDir:     dir + "/data",
		TLSDir:      dir + "/tls",
		Kubeconfig:  dir + "/kubeconfig",
		ContextName: "rdd-test",
	}
}

// Start runs a control plane that is stopped at the end of the test.
func Start(t testing.TB) *controlplane.Server {
	t.Helper()
	return StartWith(t, Options(t))
}

// StartWith is Start with options of the test's own.
func StartWith(t testing.TB, opts controlplane.Options) *controlplane.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	server, err := controlplane.Start(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return server
}

// UserConfig is that of a user's client, which reads the kubeconfig: TLS and a
// token. It does not limit the client's rate.
func UserConfig(t testing.TB, kubeconfig string) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}
