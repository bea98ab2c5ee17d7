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

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

// patience is how long anything may take, a full sync of the plain way with ten
// thousand images included.
const patience = 5 * time.Minute

// daemon runs in this process, and is looked at from outside.
type daemon struct {
	tb testing.TB
	// config is that of the kubeconfig: TLS and a bearer token.
	config *rest.Config
	client client.WithWatch
	ended  chan error
}

// start runs a daemon and returns when it is ready. It ends with the test or
// benchmark at the latest, and leaves the engine and the mirrors as they are.
func start(tb testing.TB, inst instance.Instance, settings engine.Settings) *daemon {
	tb.Helper()
	d := &daemon{tb: tb, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		d.ended <- supervisor.Run(ctx, supervisor.Config{
			Instance: inst, Logger: slog.New(slog.DiscardHandler), Engine: settings,
		})
	}()
	tb.Cleanup(func() {
		d.leave()
		cancel()
	})
	testkit.Eventually(tb, patience, "the daemon to be ready", func() error { return d.ready(inst.Config) })
	scheme, err := kube.NewScheme()
	if err != nil {
		tb.Fatal(err)
	}
	if d.client, err = client.NewWithWatch(d.config, client.Options{Scheme: scheme}); err != nil {
		tb.Fatal(err)
	}
	return d
}

// ready asks the daemon whether it has taken up its work.
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

// leave ends the daemon and leaves the engine running, and waits for the end.
func (d *daemon) leave() {
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
	case <-time.After(patience):
		d.tb.Error("the daemon did not end")
	}
}

// connect wishes for this engine and returns when all of it is mirrored.
func (d *daemon) connect(sim *dockersim.Engine) {
	d.tb.Helper()
	d.wish(func(s *appv1.AppSpec) {
		s.Running = true
		s.VM = appv1.VM{Driver: appv1.DriverExternal, Endpoint: sim.Endpoint()}
	})
}

// wish changes the App's spec and returns when it has settled, and after how
// long from just before the change.
func (d *daemon) wish(change func(*appv1.AppSpec)) time.Duration {
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
