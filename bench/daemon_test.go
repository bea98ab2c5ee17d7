package bench_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

// timeout is longer than the baseline's full sync of ten thousand images.
const timeout = 5 * time.Minute

// daemon is a daemon in this process, and a client for it.
type daemon struct {
	tb testing.TB
	// config is that of the kubeconfig: TLS and a bearer token.
	config *rest.Config
	client client.WithWatch
	ended  chan error
}

// start runs a daemon and returns when it is ready. The end of the test stops the
// daemon, which keeps the engine and the mirrors.
func start(tb testing.TB, inst instance.Instance, settings docker.Settings) *daemon {
	tb.Helper()
	d := &daemon{tb: tb, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		d.ended <- supervisor.Run(ctx, supervisor.Config{
			Instance: inst, Logger: slog.New(slog.DiscardHandler), Docker: settings,
		})
	}()
	tb.Cleanup(func() {
		d.stop()
		cancel()
	})
	testkit.Eventually(tb, timeout, "the daemon to be ready", func() error { return d.ready(inst.Config) })
	scheme, err := kube.NewScheme()
	if err != nil {
		tb.Fatal(err)
	}
	if d.client, err = client.NewWithWatch(d.config, client.Options{Scheme: scheme}); err != nil {
		tb.Fatal(err)
	}
	return d
}

// ready returns nil when the daemon is ready.
func (d *daemon) ready(kubeconfig string) error {
	select {
	case err := <-d.ended:
		d.ended <- err
		d.tb.Fatalf("the daemon ended: %v", err)
	default:
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	d.config = config
	return d.call(http.MethodGet, supervisor.ReadyPath)
}

// call sends a request to the daemon's own paths.
func (d *daemon) call(method, path string) error {
	httpClient, err := rest.HTTPClientFor(d.config)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(context.Background(), method, d.config.Host+path, nil)
	if err != nil {
		return err
	}
	answer, err := httpClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return nil
}

// stop stops the daemon, keeps the engine running, and waits for the end.
func (d *daemon) stop() {
	d.tb.Helper()
	select {
	case err := <-d.ended:
		d.ended <- err
		return
	default:
	}
	if err := d.call(http.MethodPost, supervisor.ShutdownPath+"?keepVM=true"); err != nil {
		d.tb.Errorf("end the daemon: %v", err)
		return
	}
	select {
	case err := <-d.ended:
		d.ended <- nil
		if err != nil {
			d.tb.Errorf("the daemon ended with: %v", err)
		}
	case <-time.After(timeout):
		d.tb.Error("the daemon did not end")
	}
}

// connect selects this engine and returns when everything in it is mirrored.
func (d *daemon) connect(sim *dockersim.Engine) {
	d.tb.Helper()
	d.updateApp(func(s *appv1.AppSpec) {
		s.Running = true
		s.VM = appv1.VM{Driver: appv1.DriverExternal, Endpoint: sim.Endpoint()}
	})
}

// updateApp changes the App's spec, waits until the App has settled, and returns how
// long that took.
func (d *daemon) updateApp(change func(*appv1.AppSpec)) time.Duration {
	d.tb.Helper()
	app := d.watchApp()
	defer app.stop()
	obj := d.app()
	before := client.MergeFrom(obj.DeepCopy())
	change(&obj.Spec)
	began := time.Now()
	if err := d.client.Patch(context.Background(), obj, before); err != nil {
		d.tb.Fatal(err)
	}
	app.await(obj.Generation, appv1.ConditionSettled, true)
	return time.Since(began)
}

func (d *daemon) app() *appv1.App {
	d.tb.Helper()
	obj := &appv1.App{}
	if err := d.client.Get(context.Background(), client.ObjectKey{Name: appv1.AppName}, obj); err != nil {
		d.tb.Fatal(err)
	}
	return obj
}
