package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmstatus"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// conditions checks whether the spec of the App is applied.
func (e *examination) conditions(context.Context) Result {
	app, err := e.app()
	if err != nil {
		return unanswered(err)
	}
	var states []string
	for _, c := range app.Status.Conditions {
		text := fmt.Sprintf("%s=%s (%s)", c.Type, c.Status, c.Reason)
		if c.Message != "" {
			text += ": " + c.Message
		}
		if c.ObservedGeneration < app.Generation {
			text += " [outdated: observed before the last change]"
		}
		states = append(states, text)
	}
	desired := "running=false"
	if app.Spec.Running {
		desired = "running=true"
	}
	settled := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	if settled == nil || settled.Status != "True" || settled.ObservedGeneration < app.Generation {
		return finding("follow the message of the condition; 'rdd status' shows the progress, and 'rdd set' can revert the change",
			"%s is not fully applied: %s", desired, strings.Join(states, "; "))
	}
	return ok("%s is applied: %s", desired, strings.Join(states, "; "))
}

// vm checks the VM, if the instance has one.
func (e *examination) vm(ctx context.Context) Result {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	report, err := vmstatus.Inspect(ctx, e.Instance.Name, e.VM)
	if err != nil {
		return finding("see 'rdd vm status'", "%v", err)
	}
	switch report.State {
	case vmstatus.StateNone:
		return skipped("the instance has no VM")
	case vmstatus.StateHung, vmstatus.StateUnattended:
		return finding("see 'rdd vm status' and 'rdd vm logs'; 'rdd vm restart' restarts the VM, by force if necessary", "%s", report.Summary())
	case vmstatus.StateRunning, vmstatus.StateStarting, vmstatus.StateStopped:
	}
	return ok("%s", report.Summary())
}

// engine connects to the engine directly. If no daemon reports the endpoint, it
// tries the instance's own socket.
func (e *examination) engine(ctx context.Context) Result {
	endpoint := "unix://" + e.Instance.DockerSocket
	app, err := e.app()
	if err == nil {
		if !app.Spec.Running {
			return skipped("running=false")
		}
		if app.Status.IsIdle() {
			return skipped("the VM is idle, and the next use of the engine starts it")
		}
		if app.Spec.ContainerEngine.Name != appv1.EngineMoby {
			return skipped("%s is not mirrored", app.Spec.ContainerEngine.Name)
		}
		if endpoint = app.Status.VM.Endpoint; endpoint == "" {
			return finding("see app above", "the endpoint of the engine is not known")
		}
	}
	began := time.Now()
	info, connectErr := connect(ctx, endpoint)
	switch {
	case connectErr == nil && err != nil:
		return ok("%s answers at %s, and runs without the daemon", info.Version, endpoint)
	case connectErr == nil:
		return ok("%s answers at %s, in %s", info.Version, endpoint, time.Since(began).Round(time.Millisecond))
	case err != nil && unanswered(err).State == Skipped:
		return skipped("no engine answers at %s, and no daemon runs that should have one", endpoint)
	case err != nil:
		return unchecked("no engine answers at %s, and the daemon does not report whether it needs one: %v", endpoint, err)
	}
	return finding("see 'rdd svc logs' and dockerd.log in the log directory; rdd restarts its own engine, and reconnects to an external one",
		"the engine does not answer at %s: %v", endpoint, connectErr)
}

// connect connects to the engine at endpoint, and returns its version.
func connect(ctx context.Context, endpoint string) (info docker.Info, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	engine, err := docker.Dial(endpoint)
	if err != nil {
		return docker.Info{}, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	return engine.Connect(ctx)
}
