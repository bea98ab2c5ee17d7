package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmlook"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// conditions looks whether what the user wishes has happened.
func (e *examination) conditions(context.Context) Result {
	app, err := e.app()
	if err != nil {
		return unanswered(err)
	}
	var words []string
	for _, c := range app.Status.Conditions {
		text := fmt.Sprintf("%s=%s (%s)", c.Type, c.Status, c.Reason)
		if c.Message != "" {
			text += ": " + c.Message
		}
		if c.ObservedGeneration < app.Generation {
			text += " [before the last change]"
		}
		words = append(words, text)
	}
	wish := "running=false"
	if app.Spec.Running {
		wish = "running=true"
	}
	settled := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	if settled == nil || settled.Status != "True" || settled.ObservedGeneration < app.Generation {
		return finding("do what the condition says; 'rdd status' shows how it goes on, and 'rdd set' takes a change back",
			"%s was asked for, and has not all happened: %s", wish, strings.Join(words, "; "))
	}
	return ok("%s was asked for: %s", wish, strings.Join(words, "; "))
}

// vm looks at the VM, if there should be one.
func (e *examination) vm(ctx context.Context) Result {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	report, err := vmlook.Look(ctx, e.Instance.Name, e.VM)
	if err != nil {
		return finding("see 'rdd vm status'", "%v", err)
	}
	switch report.State {
	case vmlook.StateNone:
		return skipped("there is none")
	case vmlook.StateHung, vmlook.StateUnattended:
		return finding("see 'rdd vm status' and 'rdd vm logs'; 'rdd vm restart' stops it, by force if need be, and starts it again", "%s", report.Summary())
	case vmlook.StateRunning, vmlook.StateStarting, vmlook.StateStopped:
	}
	return ok("%s", report.Summary())
}

// engine asks the engine itself, past the daemon. With no daemon to say where it
// is, it asks at the instance's own socket.
func (e *examination) engine(ctx context.Context) Result {
	endpoint := "unix://" + e.Instance.DockerSocket
	app, err := e.app()
	if err == nil {
		if !app.Spec.Running {
			return skipped("it was not asked for")
		}
		if app.Spec.ContainerEngine.Name != appv1.EngineMoby {
			return skipped("%s is not mirrored", app.Spec.ContainerEngine.Name)
		}
		if endpoint = app.Status.VM.Endpoint; endpoint == "" {
			return finding("see app above", "nobody knows where it listens")
		}
	}
	began := time.Now()
	info, askErr := ask(ctx, endpoint)
	switch {
	case askErr == nil && err != nil:
		return ok("%s answers at %s, and goes on without the daemon", info.Version, endpoint)
	case askErr == nil:
		return ok("%s answers at %s, in %s", info.Version, endpoint, time.Since(began).Round(time.Millisecond))
	case err != nil && unanswered(err).State == Skipped:
		return skipped("none answers at %s, and no daemon says whether one should", endpoint)
	case err != nil:
		return unchecked("none answers at %s, and the daemon does not say whether one should: %v", endpoint, err)
	}
	return finding("'rdd svc logs' and dockerd.log in the log directory say more; rdd starts an engine of its own again by itself, and connects again to another's",
		"it does not answer at %s: %v", endpoint, askErr)
}

func ask(ctx context.Context, endpoint string) (info docker.Info, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	engine, err := docker.Dial(endpoint)
	if err != nil {
		return docker.Info{}, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	return engine.Connect(ctx)
}
