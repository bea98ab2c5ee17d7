package supervisor

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// A stream gets the engine through the tree, and ends with the daemon.
func TestStreamOfRunningDaemon(t *testing.T) {
	inst := instancetest.At(t, "streams")
	r := start(t, inst)
	if _, err := r.openEngine(t.Context()); err == nil || !strings.Contains(err.Error(), "rdd start") {
		t.Errorf("without an engine: %v", err)
	}
	sim := dockersim.Start(t)
	sim.AddImage("app")
	id := sim.AddContainerSpec(dockersim.ContainerSpec{Image: "app", Command: []string{"sh", "-c", "echo begin; sleep 1000"}, Runs: true})
	if err := sim.StartContainer(id); err != nil {
		t.Fatal(err)
	}
	r.apply(func(spec *appv1.AppSpec) {
		spec.Running = true
		spec.VM = appv1.VM{Driver: appv1.DriverExternal, Endpoint: sim.Endpoint()}
	})
	config := controlplanetest.UserConfig(t, inst.Config)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	path := config.Host + "/apis/containers.rancherdesktop.io/v1alpha1/namespaces/" + appv1.DefaultNamespace + "/containers/" + id + "/log?follow=true"
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	first := make([]byte, len("begin\n"))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "begin\n" {
		t.Fatalf("%s: %q, %v", resp.Status, first, err)
	}
	r.shutdown <- true
	end, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(end), "rdd: the log ends here: rdd ") {
		t.Errorf("the end of the daemon: %q, %v", end, err)
	}
}
