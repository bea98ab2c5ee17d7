package doctor

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	kubeclient "sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/kube"
)

// How long a difference must last to be a finding, how often it is looked at,
// and how long a wish may wait for the engine: a stop takes 10 s by default.
const (
	lastingFor   = 3 * time.Second
	lookAgain    = 500 * time.Millisecond
	wishPatience = 30 * time.Second
)

// mirrors looks whether mirrors and engine are the same, field by field.
func (e *examination) mirrors(ctx context.Context) Result {
	app, err := e.app()
	if err != nil {
		return unanswered(err)
	}
	engine, reason := engineOf(app)
	if reason != "" {
		return unchecked("%s", reason)
	}
	config, err := client.Config(e.Instance)
	if err != nil {
		return unchecked("see kubeconfig")
	}
	scheme, err := kube.NewScheme()
	if err != nil {
		return unchecked("%v", err)
	}
	config.QPS = -1
	reader, err := kubeclient.New(config, kubeclient.Options{Scheme: scheme})
	if err != nil {
		return finding("", "the API server cannot be asked: %v", err)
	}
	objects := 0
	look := func(ctx context.Context) ([]invariant.Difference, error) {
		counted := func(ctx context.Context) (invariant.Picture, error) {
			picture, err := engine(ctx)
			objects = len(picture.Objects)
			return picture, err
		}
		return invariant.Check(ctx, counted, invariant.FromReader(reader))
	}
	ctx, cancel := context.WithTimeout(ctx, lastingFor)
	defer cancel()
	found, err := invariant.Lasting(ctx, wishPatience, lookAgain, look)
	switch {
	case err != nil:
		return finding("see engine and daemon above", "they could not be compared: %v", err)
	case len(found) > 0:
		r := finding("within five minutes rdd reads everything again; 'rdd svc restart' does so at once. Please report what differs: rdd should have mended it by itself",
			"%d of them differ from the engine for %s or longer", len(found), lastingFor)
		r.Differences = found
		return r
	}
	return ok("%s of the engine, each with its mirror, the same field by field", plural(objects, "object"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// engineOf is where the engine's side is read, or why there is nothing to compare.
func engineOf(app *appv1.App) (source invariant.Source, reason string) {
	ready := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionEngineReady)
	switch {
	case ready == nil:
		return nil, "the daemon has not said yet whether an engine is connected"
	case ready.Status == "True" && ready.Reason == appv1.ReasonConnected:
		return invariant.FromEndpoint(app.Status.VM.Endpoint, app.Status.Engine.APIVersion), ""
	case ready.Reason == appv1.ReasonStopped, ready.Reason == appv1.ReasonNotApplicable:
		return invariant.Nothing(), ""
	default:
		return nil, "the engine is not connected"
	}
}
