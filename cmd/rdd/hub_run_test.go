package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/controller"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// logLines is a writer that can be read meanwhile.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// The command leads until it is ended, releases its Lease, and logs nothing but its own lines.
func TestHubRunLeadsUntilEnded(t *testing.T) {
	hub := hubtest.Start(t)
	admin, err := install.Connect(t.Context(), hub.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	command := &hubRunCmd{hubFlags{Kubeconfig: hub.Kubeconfig()}}
	if err := command.Run(&session{ctx: t.Context(), err: io.Discard}); err == nil || !strings.Contains(err.Error(), "'rdd hub install'") {
		t.Errorf("before the installation: %v", err)
	}
	if err := install.Apply(t.Context(), admin, func(string) {}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	log, ended := &logLines{}, make(chan error, 1)
	go func() { ended <- command.Run(&session{ctx: ctx, err: log}) }()
	testkit.EventuallyTrue(t, time.Minute, "the controller to lead", func() bool {
		return strings.Contains(log.String(), "this controller leads")
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	lease := &coordinationv1.Lease{}
	key := kube.ObjectKey{Namespace: controller.Namespace, Name: controller.Name}
	if err := admin.Get(t.Context(), key, lease); err != nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity != "" {
		t.Errorf("the Lease is %+v, %v", lease.Spec, err)
	}
	others := slices.DeleteFunc(strings.Split(strings.TrimSpace(log.String()), "\n"), func(line string) bool {
		return strings.Contains(line, "level=INFO") && strings.Contains(line, "lead")
	})
	if len(others) > 0 {
		t.Errorf("the log has %q", others)
	}
}

// In a pod, a kubeconfig is preferred to the cluster of the pod. That a pod without one uses
// its cluster is tested with the whole program, because the paths of the token are fixed.
func TestHubConfigInPod(t *testing.T) {
	instancetest.Home(t)
	t.Setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	t.Setenv("KUBECONFIG", kubeconfigOf(t, "https://hub.example.com"))
	if config, err := (hubFlags{}).config(); err != nil || config.Host != "https://hub.example.com" {
		t.Errorf("%+v, %v", config, err)
	}
	flags := hubFlags{Kubeconfig: kubeconfigOf(t, "https://other.example.com")}
	if config, err := flags.config(); err != nil || config.Host != "https://other.example.com" {
		t.Errorf("%+v, %v", config, err)
	}
	t.Setenv("KUBECONFIG", "")
	if _, err := os.Stat("/var/run/secrets/kubernetes.io/serviceaccount/token"); err == nil {
		t.Skip("this test runs in a pod")
	}
	if config, err := (hubFlags{}).config(); err == nil || !strings.Contains(err.Error(), "no Kubernetes cluster is selected") {
		t.Errorf("without a token: %+v, %v", config, err)
	}
}
