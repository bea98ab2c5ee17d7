// Package controlplanetest starts real control planes for tests of other packages.
package controlplanetest

import (
	"context"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
)

// timeout is the limit for a start or a stop on a busy machine.
const timeout = time.Minute

// Options returns the options of a control plane in directories of its own, which are
// removed with the test. Its logs are discarded.
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

// Start starts a control plane that is stopped at the end of the test.
func Start(t testing.TB) *controlplane.Server {
	t.Helper()
	return StartWith(t, Options(t))
}

// StartWith is like Start, with the given options.
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

// UserConfig returns the configuration of a user's client from the kubeconfig: TLS and
// a token, without a rate limit.
func UserConfig(t testing.TB, kubeconfig string) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}
