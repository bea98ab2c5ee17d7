package mirror

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Writer is where the mirrors are kept. It neither changes nor keeps what it is
// given, and returns what is stored.
type Writer interface {
	Get(ctx context.Context, kind containersv1.Kind, namespace, name string) (containersv1.Mirror, error)
	// Create writes the status too.
	Create(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
	UpdateStatus(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
	// Claim adds rdd's finalizer, where the kind has it, and rdd's managed fields.
	Claim(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
	// Remove takes rdd's finalizer away too, and returns what others still hold.
	Remove(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
}

// outcome is what an operation brought to light. A mirror applies it to its view.
type outcome struct {
	op operation
	// resource as the API server returned it; nil when it says nothing about it.
	resource containersv1.Mirror
	// resourceGone: the API server has no such resource.
	resourceGone bool
	// outdated: the engine was not called, because what was wished of it is not
	// wished any more.
	outdated bool
	// fact is the engine's object, read anew; nil when it was not read.
	fact containersv1.Mirror
	// objectGone: the engine has no such object.
	objectGone bool
	// began is when the operation began, for ordering what it found.
	began time.Time
	// uid and generation of the resource that the operation worked from.
	uid        types.UID
	generation int64
	// refused is the engine's refusal.
	refused error
	// err is any other failure; the operation is tried again.
	err error
}

// timeout bounds an operation. One that may stop a container bounds its parts.
func timeout(op operation) time.Duration {
	if op == applyDesiredState {
		return async.NoDeadline
	}
	return operationTimeout
}

// operate runs one operation to its end. The view is a copy; nothing in it is changed.
func (cfg Config) operate(ctx context.Context, op operation, v view) outcome {
	out := outcome{op: op, began: time.Now()}
	if v.resource != nil {
		out.uid, out.generation = v.resource.GetUID(), v.resource.GetGeneration()
	}
	switch {
	case op.callsEngine() && !cfg.stillWished(ctx, v, &out):
	case op == removeObject:
		cfg.removeObject(ctx, v, &out)
	case op == applyDesiredState:
		cfg.applyDesiredState(ctx, v, &out)
	default:
		cfg.write(ctx, op, v, &out)
	}
	if out.err != nil {
		out.err = fmt.Errorf("%s of %s %s: %w", op, cfg.Kind, cfg.Name, out.err)
	}
	return out
}

// write does the operations that only concern the API server.
func (cfg Config) write(ctx context.Context, op operation, v view, out *outcome) {
	switch op {
	case create:
		out.resource, out.err = cfg.Kube.Create(ctx, cfg.newResource(v))
	case writeStatus:
		obj := composeStatus(v)
		obj.SetName(v.resource.GetName())
		obj.SetNamespace(v.resource.GetNamespace())
		obj.SetUID(v.resource.GetUID())
		obj.SetResourceVersion(v.resource.GetResourceVersion())
		out.resource, out.err = cfg.Kube.UpdateStatus(ctx, obj)
	case claim:
		out.resource, out.err = cfg.Kube.Claim(ctx, v.resource)
	case deleteResource:
		out.resource, out.err = cfg.Kube.Remove(ctx, v.resource)
		out.resourceGone = out.resource == nil && out.err == nil
	}
	if out.err != nil {
		cfg.afterWriteError(ctx, out)
	}
}

// afterWriteError reads the truth again where the error says that the view was stale.
func (cfg Config) afterWriteError(ctx context.Context, out *outcome) {
	if !apierrors.IsConflict(out.err) && !apierrors.IsAlreadyExists(out.err) && !apierrors.IsNotFound(out.err) {
		return
	}
	obj, err := cfg.Kube.Get(ctx, cfg.Kind, cfg.Namespace, cfg.Name)
	switch {
	case err == nil:
		out.resource, out.err = obj, nil
	case apierrors.IsNotFound(err) && out.op != create:
		out.resourceGone, out.err = true, nil
	}
}

// newResource is what a create stores: no wish yet, and the status as it is.
func (cfg Config) newResource(v view) containersv1.Mirror {
	obj := containersv1.NewMirror(cfg.Kind)
	obj.SetName(cfg.Name)
	obj.SetNamespace(cfg.Namespace)
	obj.SetGeneration(1)
	if cfg.Kind.HasFinalizer() {
		obj.SetFinalizers([]string{containersv1.Finalizer})
	}
	if c, ok := obj.(*containersv1.Container); ok {
		c.Spec.State = containersv1.StateUnknown
	}
	v.resource = obj
	obj.SetStatusFrom(composeStatus(v))
	return obj
}

// stillWished reads the resource anew before the engine is told anything: what a
// mirror has may be the late news of a resource that has gone, and an object that
// was removed because of that does not come back. The write that follows would
// notice, but too late. The reading costs a fraction of what the engine takes.
func (cfg Config) stillWished(ctx context.Context, v view, out *outcome) bool {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	fresh, err := cfg.Kube.Get(ctx, cfg.Kind, cfg.Namespace, cfg.Name)
	switch {
	case apierrors.IsNotFound(err):
		out.resourceGone, out.outdated = true, true
	case err != nil:
		out.err = err
	case fresh.GetUID() != out.uid || engineCall(v.with(fresh)) != out.op || fresh.GetGeneration() != out.generation:
		out.resource, out.outdated = fresh, true
	}
	return out.err == nil && !out.outdated
}

// removeObject removes the engine's object, and kills a running container: whoever
// deletes the resource wants it to be gone.
func (cfg Config) removeObject(ctx context.Context, v view, out *outcome) {
	var err error
	if cfg.Kind.HasFinalizer() {
		err = cfg.Engine.Do(ctx, engine.KeyOf(v.desired), engine.VerbRemove)
	}
	out.began = time.Now() // what was read before this says nothing about the object now
	if err == nil || engine.IsNotFound(err) {
		out.objectGone = true
		return
	}
	out.classify(ctx, err)
}

// applyDesiredState starts or stops the container and reads it again at once: a
// failed start changes its exit code and error, and the engine sends no event of that.
func (cfg Config) applyDesiredState(ctx context.Context, v view, out *outcome) {
	key := engine.KeyOf(v.desired)
	err := cfg.startOrStop(ctx, key, v.resource.(*containersv1.Container).Spec.State)
	out.began = time.Now()
	reading, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	fact, readErr := cfg.Engine.Get(reading, key)
	switch {
	case engine.IsNotFound(readErr):
		out.objectGone = true
		return
	case readErr == nil:
		out.fact = fact
	default:
		// Whether the desired state was applied does not depend on this reading: the
		// engine's event or the next full sync replaces it.
	}
	if err != nil {
		out.classify(ctx, err)
	}
}

// startOrStop gives a start a deadline. A stop bounds itself.
func (cfg Config) startOrStop(ctx context.Context, key engine.Key, desired containersv1.DesiredState) error {
	if desired != containersv1.StateRunning {
		return cfg.Engine.Do(ctx, key, engine.VerbStop)
	}
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	return cfg.Engine.Do(ctx, key, engine.VerbStart)
}

// classify separates a refusal, which a user must see, from an engine that cannot be
// reached.
func (out *outcome) classify(ctx context.Context, err error) {
	if engine.IsUnreachable(err) || ctx.Err() != nil {
		out.err = err
		return
	}
	out.refused = err
}
