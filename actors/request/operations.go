package request

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// apiTimeout bounds one call of the API server.
const apiTimeout = 30 * time.Second

// worked is the result of a part of the work.
type worked struct {
	// uid of the request.
	uid types.UID
	// isWithdrawn: the request was deleted before the work began.
	isWithdrawn bool
	outcome     Outcome
	// requester is the field manager that made the request, if it is known.
	requester string
}

// written is the result of a write.
type written struct {
	uid types.UID
	// resource is the request that the API server has; nil when it was not read.
	resource containersv1.Request
	// sent is the request whose status was written, if the API server has stored another
	// one; nil otherwise.
	sent containersv1.Request
	// isGone: the API server has no such request.
	isGone bool
	err    error
}

// work starts the next part of the work.
func (r *request) work() {
	begin(r.view.desired.CommonStatus(), time.Now())
	resource, engine, home := r.view.resource, r.engine, r.home
	row, isFresh := works()[r.spec.kind], r.isFresh
	r.isFresh = false
	send := r.tasks.Send
	r.cancel = r.tasks.Go(row.timeout, func(ctx context.Context) any {
		return r.Config.carryOut(ctx, row.work, Task{Engine: engine, Request: resource.CopyRequest(), IsFresh: isFresh}, home, send)
	})
}

// carryOut carries out the next part of a request. It reads the request before: the
// actor's copy may be of a request that is deleted, and what is created for it would stay.
func (cfg Config) carryOut(ctx context.Context, work Work, t Task, home string, send func(any)) worked {
	out := worked{uid: t.UID()}
	err := cfg.read(ctx, t.Request)
	switch {
	case apierrors.IsNotFound(err):
		out.isWithdrawn = true
	case err != nil:
		out.outcome = Retry(fmt.Errorf("read the request: %w", err))
	case t.UID() != out.uid || t.Request.GetDeletionTimestamp() != nil:
		out.isWithdrawn = true
	case t.Request.GetNamespace() != home:
		out.outcome = Failed(containersv1.ReasonWrongNamespace, fmt.Sprintf(
			"requests are carried out in namespace %s only, where the mirrors of the container engine are: create the request there", home))
	default:
		var wasDone bool
		if out.outcome, wasDone = cfg.doneBefore(out.uid); wasDone {
			return out
		}
		out.requester = containersv1.ManagerOf(t.Request, "f:spec")
		t.Credentials = cfg.Credentials
		t.Progress = func(p containersv1.RequestProgress) { send(progressed{out.uid, p}) }
		out.outcome = work(ctx, t)
		cfg.recordDone(t.Request.RequestKind(), out.uid, out.outcome)
	}
	return out
}

// read reads a request. The work may have no deadline of its own, but this call has.
func (cfg Config) read(ctx context.Context, r containersv1.Request) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	return cfg.Kube.Get(ctx, r)
}

// worked handles the result of a part of the work.
func (r *request) worked(msg worked) {
	if r.cancel == nil || r.view.resource.GetUID() != msg.uid {
		return // it was cancelled
	}
	r.cancel = nil
	if msg.isWithdrawn {
		r.view.isGone = true
		return
	}
	out, status := msg.outcome, r.view.desired.CommonStatus()
	if out.Set != nil {
		out.Set(r.view.desired)
	}
	switch out.phase {
	case phaseRetry:
		r.Logger.Warn("a request is retried", "request", r.spec.path(), "err", out.Message)
		waiting(status, out.Reason, out.Message)
		r.engine = nil
		r.engineRetry.later(r.tasks)
		return
	case phaseRecorded:
		recorded(status, out)
		r.view.mustStore, r.isFresh = true, true
	case phaseCompleted:
		r.Logger.Info("a request was carried out", "request", r.spec.path(), "requestedBy", msg.requester)
		completed(status, out, time.Now())
	case phaseFailed:
		r.Logger.Info("a request failed", "request", r.spec.path(), "requestedBy", msg.requester, "reason", out.Reason, "err", out.Message)
		failed(status, out, time.Now())
	}
	if r.progress != nil {
		status.Progress, r.progress = r.progress, nil
	}
	r.engineRetry.attempts = 0
}

// progressed handles a report of the work, which can be that of a request that was
// replaced by one of the same name.
func (r *request) progressed(msg progressed) {
	if r.view.resource.GetUID() != msg.uid {
		return
	}
	r.progress = &msg.progress
	r.showProgress()
}

// showProgress puts the last progress into the status, at most once in an interval.
func (r *request) showProgress() {
	if r.progress == nil || r.isThrottled || r.cancel == nil {
		return
	}
	r.view.desired.CommonStatus().Progress, r.progress = r.progress, nil
	r.isThrottled = true
	r.tasks.After(progressInterval, progressDue{})
}

// write starts a write.
func (r *request) write(op write) {
	r.isWriting = true
	obj := r.view.desired.CopyRequest()
	obj.SetResourceVersion(r.view.resource.GetResourceVersion())
	r.tasks.Go(apiTimeout, func(ctx context.Context) any { return r.Config.store(ctx, op, obj) })
}

// store carries out a write. After a conflict it reads the request again.
func (cfg Config) store(ctx context.Context, op write, obj containersv1.Request) written {
	out := written{uid: obj.GetUID()}
	switch op {
	case deleteRequest:
		out.err = cfg.Kube.Delete(ctx, obj)
		out.isGone = out.err == nil
	default:
		sent := obj.CopyRequest()
		out.resource, out.err = obj, cfg.Kube.UpdateStatus(ctx, obj)
		if out.err == nil && !obj.SameStatus(sent) {
			out.sent = sent
		}
	}
	if apierrors.IsConflict(out.err) {
		out.err = cfg.Kube.Get(ctx, obj)
		out.resource = obj
	}
	switch {
	case apierrors.IsNotFound(out.err):
		out.isGone, out.resource, out.err = true, nil, nil
	case out.err != nil:
		out.resource, out.err = nil, fmt.Errorf("%s: %w", op, out.err)
	}
	return out
}

// written handles the result of a write.
func (r *request) written(msg written) {
	r.isWriting = false
	switch {
	case msg.err != nil:
		r.Logger.Warn("a request could not be written", "request", r.spec.path(), "err", msg.err)
		r.writeRetry.later(r.tasks)
		return
	case msg.isGone && r.view.resource.GetUID() == msg.uid:
		r.view.isGone = true
	case msg.resource != nil:
		r.changed(msg.resource)
		r.view.sent, r.view.answer = msg.sent, nil
		if msg.sent != nil {
			r.view.answer = msg.resource
		}
	}
	r.writeRetry.reset()
	if r.view.mustStore && r.view.isStoredInPart() {
		r.engineRetry.later(r.tasks) // the next part can be this one again, without its result
	}
	if r.view.isStored() {
		r.view.mustStore = false
	}
}
