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

// How long a difference must last to be a finding, the interval of the checks, and
// how long the engine can take to apply a spec: a stop takes 10 s by default.
const (
	lastingFor      = 3 * time.Second
	recheckInterval = 500 * time.Millisecond
	pendingTimeout  = 30 * time.Second
)

// mirrors checks whether mirrors and engine are equal, field by field.
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
		return unchecked("the kubeconfig cannot be used, see kubeconfig above")
	}
	scheme, err := kube.NewScheme()
	if err != nil {
		return unchecked("%v", err)
	}
	config.QPS = -1
	reader, err := kubeclient.New(config, kubeclient.Options{Scheme: scheme})
	if err != nil {
		return finding("see kubeconfig above", "cannot connect to the API server: %v", err)
	}
	objects := 0
	compare := func(ctx context.Context) ([]invariant.Difference, error) {
		counted := func(ctx context.Context) (invariant.Picture, error) {
			picture, err := engine(ctx)
			objects = len(picture.Objects)
			return picture, err
		}
		return invariant.Check(ctx, counted, invariant.FromReader(reader))
	}
	ctx, cancel := context.WithTimeout(ctx, lastingFor)
	defer cancel()
	found, err := invariant.Lasting(ctx, pendingTimeout, recheckInterval, compare)
	switch {
	case err != nil:
		return finding("see engine and daemon above", "mirrors and engine could not be compared: %v", err)
	case len(found) > 0:
		r := finding("the next full sync, within five minutes, fixes this; 'rdd svc restart' starts one now. Please report these differences: they are a bug in rdd",
			"%s between mirrors and engine lasted for %s or longer", plural(len(found), "difference"), lastingFor)
		r.Differences = found
		return r
	}
	return ok("%s of the engine, each with an equal mirror", plural(objects, "object"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// engineOf returns the source of the engine's objects, or the reason why there is
// none.
func engineOf(app *appv1.App) (source invariant.Source, reason string) {
	ready := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionEngineReady)
	switch {
	case ready == nil:
		return nil, "the daemon does not report yet whether an engine is connected"
	case ready.Status == "True" && ready.Reason == appv1.ReasonConnected:
		return invariant.FromEndpoint(app.Status.VM.Endpoint, app.Status.Engine.APIVersion), ""
	case ready.Reason == appv1.ReasonStopped, ready.Reason == appv1.ReasonNotApplicable:
		return invariant.Nothing(), ""
	case ready.Reason == appv1.ReasonIdle:
		return nil, "the VM is idle, and the next use of the engine starts it"
	default:
		return nil, "the engine is not connected"
	}
}
