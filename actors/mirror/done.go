package mirror

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Ledger records the requests that were carried out, for an API server that can return
// with the data of an earlier day, and would request them again.
type Ledger interface {
	// Find reports whether a request was carried out, and with which outcome.
	Find(uid types.UID, request string) (outcome string, ok bool)
	// Add returns when the record is durable.
	Add(uid types.UID, request, outcome string) error
}

// errDoneBefore is the outcome of an action that the hub requests again.
var errDoneBefore = errors.New("rdd has carried out this action before: the hub has returned from a backup since: request the action again if it is still needed")

// requestOf identifies what a resource requests with an operation; it is empty if that is not
// known. The generation alone does not identify a desired state: after the return of a
// backup, another one can get the same generation.
func requestOf(op operation, fresh containersv1.Mirror) string {
	switch op {
	case applyDesiredState:
		if at := containersv1.ChangedAt(fresh, "f:state"); at != "" {
			return fmt.Sprintf("state %d %s", fresh.GetGeneration(), at)
		}
	case removeObject:
		return "delete " + fresh.GetDeletionTimestamp().UTC().Format(time.RFC3339)
	case runAction:
		if running := fresh.(*containersv1.Container).RunningAction(); running != nil {
			return "action " + running.ObservedAt.UTC().Format(time.RFC3339Nano)
		}
	}
	return ""
}

// annotationOf identifies the action that the annotation of a resource requests; empty if
// that is not known. The time of an annotation has seconds, in which an action can be
// requested twice, but then another action has ended before.
func annotationOf(fresh containersv1.Mirror) string {
	c, ok := fresh.(*containersv1.Container)
	at := containersv1.ChangedAt(fresh, "f:"+containersv1.ActionAnnotation)
	if !ok || at == "" {
		return ""
	}
	before := "none"
	if last := c.Status.LastAction; last != nil {
		before = last.ObservedAt.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("annotation %s %s after %s", c.RequestedAction(), at, before)
}

// accepting returns the request that a write of the status accepts, for the ledger; empty
// for none. wasDone is set if it was accepted before.
func (cfg Config) accepting(ctx context.Context, v view) (request string, wasDone bool, err error) {
	if cfg.Ledger == nil || !acceptsAction(v) {
		return "", false, nil
	}
	fresh, err := cfg.Kube.Get(ctx, cfg.Kind, cfg.Namespace, cfg.Name)
	if err != nil || fresh.GetUID() != v.resource.GetUID() || !acceptsAction(v.with(fresh)) {
		return "", false, err // the write fails with a conflict
	}
	request = annotationOf(fresh)
	_, wasDone = cfg.Ledger.Find(fresh.GetUID(), request)
	return request, wasDone && request != "", nil
}

// accept writes a status, which can accept an action. One that was accepted before the hub
// has returned from a backup gets its outcome before, and the engine is not called.
func (cfg Config) accept(ctx context.Context, v view, obj containersv1.Mirror) (containersv1.Mirror, error) {
	request, wasDone, err := cfg.accepting(ctx, v)
	if err != nil {
		return nil, err
	}
	if wasDone {
		cfg.record(outcome{uid: v.resource.GetUID(), request: requestOf(runAction, obj)}, errDoneBefore.Error())
	}
	written, err := cfg.Kube.UpdateStatus(ctx, obj)
	if err == nil {
		cfg.record(outcome{uid: v.resource.GetUID(), request: request}, "")
	}
	return written, err
}

// wasDone reports whether the request was carried out before. Then the engine is not called.
func (cfg Config) wasDone(v view, out *outcome) bool {
	if cfg.Ledger == nil || out.request == "" {
		return false
	}
	text, wasDone := cfg.Ledger.Find(out.uid, out.request)
	if out.wasDone = wasDone; !wasDone || out.op != runAction {
		return wasDone
	}
	action := v.resource.(*containersv1.Container).RunningAction()
	out.result = &actionResult{action: action.Action, observedAt: action.ObservedAt, completedAt: nowMicro()}
	if text != "" {
		out.result.err = errors.New(text)
	}
	return true
}

// recordDone records a request that the engine has carried out, or an action that it has
// refused, which is not repeated.
func (cfg Config) recordDone(out outcome) {
	isDone := out.err == nil && out.refused == nil && !out.outdated && !out.wasDone
	if !isDone || out.op == runAction && out.result == nil {
		return
	}
	text := ""
	if out.result != nil && out.result.err != nil {
		text = out.result.err.Error()
	}
	cfg.record(out, text)
}

// record adds a request whose identity is known to the ledger, if there is one. A failure to
// record does not undo it, so it is only logged.
func (cfg Config) record(out outcome, text string) {
	if cfg.Ledger == nil || out.request == "" {
		return
	}
	if err := cfg.Ledger.Add(out.uid, out.request, text); err != nil {
		cfg.Logger.Warn("a request that was carried out could not be recorded", "mirror", cfg.Name, "err", err)
	}
}
