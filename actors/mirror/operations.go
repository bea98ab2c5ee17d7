package mirror

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Writer reads and writes resources of mirrors. It neither changes nor keeps its
// arguments. Every method returns the stored resource.
type Writer interface {
	Get(ctx context.Context, kind containersv1.Kind, namespace, name string) (containersv1.Mirror, error)
	// Create writes the status too.
	Create(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
	// UpdateStatus writes the status, and the labels of the engine's object in it.
	UpdateStatus(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
	// CompleteAction is UpdateStatus, and removes the annotation that requested the
	// action.
	CompleteAction(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
	// Claim adds rdd's finalizer, where the kind has it, and rdd's managed fields.
	Claim(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
	// Remove deletes the resource, and removes rdd's finalizer. It returns nil, or the
	// resource if other finalizers hold it.
	Remove(ctx context.Context, obj containersv1.Mirror) (containersv1.Mirror, error)
}

// outcome is the result of an operation. The mirror updates its view from it.
type outcome struct {
	op operation
	// resource is the resource that the API server returned, if any.
	resource containersv1.Mirror
	// resourceGone: the API server has no such resource.
	resourceGone bool
	// outdated: the engine was not called, because the request was withdrawn.
	outdated bool
	// isLeaving: the engine was not called, because the resource is deleted together with
	// its namespace or its definition.
	isLeaving bool
	// fact is the engine's object after the operation; nil when it was not read.
	fact containersv1.Mirror
	// objectGone: the engine has no such object.
	objectGone bool
	// began is when the operation began reading, which orders its result.
	began time.Time
	// request identifies what was requested, and wasDone is set if it was carried out
	// before, so that the engine was not called.
	request string
	wasDone bool
	// requester is the field manager that requested the operation, if it is known.
	requester string
	// uid and generation of the resource that the operation worked from.
	uid        types.UID
	generation int64
	// recorded is the observedAt of the action whose run a write has recorded, if any.
	recorded *metav1.MicroTime
	// result is the outcome of an action, if it has ended.
	result *actionResult
	// wasCalled is set if the engine may have carried out the action.
	wasCalled bool
	// unshared are the events of a new resource for directories that the VM lacks.
	unshared []eventRecord
	// refused is the engine's error if it refused the request.
	refused error
	// err is any other failure; the operation is retried.
	err error
}

// timeout returns the deadline of an operation. A desired state and an action have
// deadlines for their parts.
func (cfg Config) timeout(op operation) time.Duration {
	if op == applyDesiredState || op == runAction || cfg.BoundsWrites && !op.callsEngine() {
		return async.NoDeadline
	}
	return operationTimeout
}

// operate runs one operation to its end. It does not change the view.
func (cfg Config) operate(ctx context.Context, op operation, v view) outcome {
	out := outcome{op: op, began: time.Now()}
	if v.resource != nil {
		out.uid, out.generation = v.resource.GetUID(), v.resource.GetGeneration()
	}
	switch {
	case op.callsEngine() && !cfg.stillRequested(ctx, v, &out):
	case op == removeObject && cfg.isLeaving(ctx, &out):
	case op.callsEngine() && cfg.wasDone(v, &out):
	case op == removeObject:
		cfg.removeObject(ctx, v, &out)
	case op == applyDesiredState:
		cfg.applyDesiredState(ctx, v, &out)
	case op == runAction:
		cfg.runAction(ctx, v, &out)
	default:
		cfg.write(ctx, op, v, &out)
	}
	if op.callsEngine() {
		cfg.recordDone(out)
	}
	if out.err != nil {
		out.err = fmt.Errorf("%s of %s %s: %w", op, cfg.Kind, cfg.Name, out.err)
	}
	return out
}

// write runs an operation that only calls the API server.
func (cfg Config) write(ctx context.Context, op operation, v view, out *outcome) {
	switch op {
	case create:
		if out.resource, out.err = cfg.Kube.Create(ctx, cfg.newResource(v)); out.err == nil {
			out.unshared = cfg.unsharedBy(out.resource)
		}
	case writeStatus:
		obj := newStatus(v)
		if out.resource, out.err = cfg.accept(ctx, v, obj); out.err == nil {
			out.recorded = recordedBy(v, obj)
		}
	case completeAction:
		out.resource, out.err = cfg.Kube.CompleteAction(ctx, newStatus(v))
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

// newStatus returns the resource with the status to write, and nothing else that a write
// of the status uses.
func newStatus(v view) containersv1.Mirror {
	obj := composeStatus(v)
	obj.SetName(v.resource.GetName())
	obj.SetNamespace(v.resource.GetNamespace())
	obj.SetUID(v.resource.GetUID())
	obj.SetResourceVersion(v.resource.GetResourceVersion())
	return obj
}

// afterWriteError reads the resource again if the error shows that the view was stale.
func (cfg Config) afterWriteError(ctx context.Context, out *outcome) {
	if !apierrors.IsConflict(out.err) && !apierrors.IsAlreadyExists(out.err) && !apierrors.IsNotFound(out.err) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	obj, err := cfg.Kube.Get(ctx, cfg.Kind, cfg.Namespace, cfg.Name)
	switch {
	case err == nil:
		out.resource, out.err = obj, nil
	case apierrors.IsNotFound(err) && out.op != create:
		out.resourceGone, out.err = true, nil
	}
}

// newResource returns the resource to create: no desired state, and the full status. What
// the engine has answered was about a former resource of this name, which is gone.
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
	v.resource, v.refusal, v.applied = obj, refusal{}, 0
	obj.SetStatusFrom(composeStatus(v))
	return obj
}

// stillRequested reads the resource and reports whether it still requests the
// operation. The mirror's copy may be a late event of a resource that is gone, and an
// object that is removed for such a resource cannot be restored. The write after the
// call would find out too late. The reading costs a fraction of the call.
func (cfg Config) stillRequested(ctx context.Context, v view, out *outcome) bool {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	fresh, err := cfg.Kube.Get(ctx, cfg.Kind, cfg.Namespace, cfg.Name)
	switch {
	case apierrors.IsNotFound(err):
		out.resourceGone, out.outdated = true, true
	case err != nil:
		out.err = err
	case fresh.GetUID() != out.uid || engineCall(v.with(fresh)) != out.op || !isSameRequest(out.op, v.resource, fresh):
		out.resource, out.outdated = fresh, true
	default:
		out.requester, out.request = requesterOf(out.op, fresh), requestOf(out.op, fresh)
	}
	return out.err == nil && !out.outdated
}

// requesterOf returns the field manager that requested an operation. Managed fields do
// not show who deleted a resource; the API server logs that.
func requesterOf(op operation, fresh containersv1.Mirror) string {
	switch op {
	case applyDesiredState:
		return containersv1.ManagerOf(fresh, "f:state")
	case runAction:
		return containersv1.ManagerOf(fresh, "f:"+containersv1.ActionAnnotation)
	default:
		return ""
	}
}

// isSameRequest reports whether two versions of a resource request the same of an
// operation.
func isSameRequest(op operation, a, b containersv1.Mirror) bool {
	if op != runAction {
		return a.GetGeneration() == b.GetGeneration()
	}
	one, other := a.(*containersv1.Container).RunningAction(), b.(*containersv1.Container).RunningAction()
	return equality.Semantic.DeepEqual(one, other)
}

// isLeaving reports whether the object must stay, because the resource is not deleted on its
// own, or because that could not be found out.
func (cfg Config) isLeaving(ctx context.Context, out *outcome) bool {
	if cfg.IsLeaving == nil {
		return false
	}
	out.isLeaving, out.err = cfg.IsLeaving(ctx, cfg.Kind)
	out.outdated = out.isLeaving
	return out.isLeaving || out.err != nil
}

// removeObject removes the engine's object. It kills a running container, because
// the user deleted the resource. Any client can add rdd's finalizer to a resource of a kind
// that has none, whose objects rdd does not remove. A removal that fails half way leaves
// another state without an event, so the object is read after a refusal.
func (cfg Config) removeObject(ctx context.Context, v view, out *outcome) {
	var err error
	key := engine.KeyOf(v.object)
	if cfg.Kind.HasFinalizer() {
		err = cfg.Engine.Do(ctx, key, engine.VerbRemove)
	}
	out.began = time.Now() // earlier readings do not show the removal
	if err == nil || engine.IsNotFound(err) {
		out.objectGone = true
		return
	}
	out.classify(ctx, v, err)
	if out.refused != nil {
		_ = cfg.readObject(ctx, key, out)
	}
	if out.objectGone {
		out.refused = nil
	}
}

// applyDesiredState starts or stops the container, and then reads it, because a failed
// start changes its exit code and error without an event.
func (cfg Config) applyDesiredState(ctx context.Context, v view, out *outcome) {
	key := engine.KeyOf(v.object)
	err := cfg.startOrStop(ctx, key, v.resource.(*containersv1.Container).Spec.State)
	_ = cfg.readObject(ctx, key, out)
	if err != nil && !out.objectGone {
		out.classify(ctx, v, err)
	}
}

// readObject reads the engine's object. A failure after a request is none of the request:
// the engine's event or the next full sync replaces this reading.
func (cfg Config) readObject(ctx context.Context, key engine.Key, out *outcome) error {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	out.began, out.fact = time.Now(), nil
	fact, err := cfg.Engine.Get(ctx, key)
	switch {
	case engine.IsNotFound(err):
		out.objectGone = true
	case err == nil:
		out.fact = fact
	}
	return err
}

// startOrStop gives a start a deadline. A stop bounds itself. The API server of a hub can
// know more desired states than this program.
func (cfg Config) startOrStop(ctx context.Context, key engine.Key, desired containersv1.DesiredState) error {
	switch desired {
	case containersv1.StateRunning:
		ctx, cancel := context.WithTimeout(ctx, operationTimeout)
		defer cancel()
		return cfg.Engine.Do(ctx, key, engine.VerbStart)
	case containersv1.StateCreated:
		return cfg.Engine.Do(ctx, key, engine.VerbStop)
	default:
		return fmt.Errorf("this version of rdd knows no desired state %q: set %s or %s, or update rdd on this machine",
			desired, containersv1.StateRunning, containersv1.StateCreated)
	}
}

// maxShutdowns is the number of successive attempts, over half a minute, after which an
// engine that answers that it is shutting down has refused the request: it does not end, and
// the user must see its words.
const maxShutdowns = 5

// isAway reports whether an error of a call means that the engine is away.
func (v view) isAway(err error) bool {
	return engine.IsAway(err) && (engine.IsUnreachable(err) || v.shutdowns < maxShutdowns)
}

// classify stores an error of the engine: as a refusal, which the user must see, or
// as the failure of an engine that is away.
func (out *outcome) classify(ctx context.Context, v view, err error) {
	if v.isAway(err) || ctx.Err() != nil {
		out.err = err
		return
	}
	out.refused = err
}
