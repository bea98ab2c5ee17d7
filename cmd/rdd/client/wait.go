package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
)

const (
	// watchSeconds bounds one watch, so that a dead connection is replaced.
	watchSeconds = "60"
	// resumePause is the pause before a closed watch is resumed.
	resumePause = 50 * time.Millisecond
	// processInterval is the pause between two checks of the daemon's process.
	processInterval = 200 * time.Millisecond
	// restartGrace is how long a daemon can be gone, as during a restart.
	restartGrace = 3 * time.Second
)

// ErrDaemonEnded reports that the daemon ended during a wait.
var ErrDaemonEnded = errors.New("the daemon ended during the wait: see 'rdd svc logs', and start it with 'rdd svc start'")

// NotSettledError reports which conditions were missing when the deadline of a wait
// passed. It wraps context.DeadlineExceeded.
type NotSettledError struct {
	// App is the App as last read; nil if it could not be read.
	App *appv1.App
	// Generation is the generation that the wait was for.
	Generation int64
	// Last is the last error of reading the App, if any.
	Last error
}

func (e *NotSettledError) Error() string {
	if e.App == nil {
		return fmt.Sprintf("the deadline passed and the App could not be read: %v", e.Last)
	}
	var missing []string
	for _, c := range e.App.Status.Conditions {
		if c.Status == metav1.ConditionTrue && c.ObservedGeneration >= e.Generation {
			continue
		}
		if c.Type == appv1.ConditionSettled && len(missing) > 0 {
			continue // its message repeats those of the others
		}
		text := fmt.Sprintf("%s is %s (%s)", c.Type, c.Status, c.Reason)
		if c.Message != "" {
			text += ": " + failuretext.Short(c.Message)
		}
		if c.ObservedGeneration < e.Generation {
			text += fmt.Sprintf(" [generation %d, waiting for %d]", c.ObservedGeneration, e.Generation)
		}
		missing = append(missing, text)
	}
	if len(missing) == 0 {
		missing = []string{"the App has no conditions yet"}
	}
	text := "the deadline passed; still missing: " + strings.Join(missing, "; ")
	if e.Last != nil {
		text += fmt.Sprintf("; the last read of the App failed: %v", e.Last)
	}
	return text + "; the operation continues in the background, see 'rdd status' and 'rdd svc logs'"
}

// Unwrap returns context.DeadlineExceeded.
func (*NotSettledError) Unwrap() error { return context.DeadlineExceeded }

// RefusedError reports that the daemon cannot apply a change now.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string {
	return e.Message + "\ncannot be applied now: fix the cause and retry (rdd also retries in the background, see 'rdd status')"
}

// refused returns an error if the daemon cannot apply the given generation.
func refused(app *appv1.App, generation int64) error {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	if c == nil || c.Status == metav1.ConditionTrue || c.Reason != appv1.ReasonRefused || c.ObservedGeneration < generation {
		return nil
	}
	running := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionRunning)
	if running != nil && running.Reason == appv1.ReasonStartFailed {
		// Settled repeats it, with the time of the next retry.
		if _, reason := failuretext.Split(running.Message); reason != "" {
			return &RefusedError{Message: reason}
		}
	}
	return &RefusedError{Message: c.Message}
}

// isPending reports whether the daemon had not observed the generation when app was
// read. A later status of that generation is newer than the change.
func isPending(app *appv1.App, generation int64) bool {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	return c == nil || c.ObservedGeneration < generation
}

// requestRetry makes the daemon retry a refused change, or start an idle VM, at once.
func (c *Client) requestRetry(ctx context.Context) (*appv1.App, error) {
	patch := fmt.Sprintf(`{"spec":{"vm":{"retry":%q}}}`, time.Now().UTC().Format(time.RFC3339Nano))
	return c.PatchApp(ctx, []byte(patch), false)
}

// Settled reports whether the given generation, or a later one, is applied. A
// condition of an earlier generation does not count.
func Settled(app *appv1.App, generation int64) bool {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration >= generation
}

// WaitSettled waits until the App has settled at generation or later. It passes
// each state of the App to report, with the generation that it waits for, and
// resumes closed watches.
//
// WaitSettled returns a *NotSettledError when the deadline of ctx passes, a
// *RefusedError when the daemon cannot apply the change, and ErrDaemonEnded when
// the daemon is gone for longer than a restart takes. If a refusal can be older
// than the wait, the user may have fixed its cause. Then WaitSettled requests a
// retry, which creates another generation, and waits for that. It does the same for a VM
// that was stopped because it was idle.
func (c *Client) WaitSettled(ctx context.Context, generation int64, report func(app *appv1.App, generation int64)) (*appv1.App, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go c.watchProcess(ctx, cancel)

	var last *appv1.App
	fresh := false
	visit := func(app *appv1.App) bool {
		last = app
		fresh = fresh || isPending(app, generation)
		isRefused := refused(app, generation) != nil
		if !isRefused { // else the error has the reason
			report(app, generation)
		}
		return isRefused || Settled(app, generation)
	}
	for {
		done, err := c.waitOnce(ctx, visit)
		if done {
			refusal := refused(last, generation)
			isIdle := last.Spec.Running && last.Status.IsIdle()
			if refusal == nil && !isIdle || fresh {
				return last, refusal
			}
			patched, err := c.requestRetry(ctx)
			if err != nil {
				if refusal == nil {
					refusal = err
				}
				return last, refusal
			}
			generation, fresh = patched.Generation, true
			continue
		}
		if final(err) {
			return last, err
		}
		select {
		case <-ctx.Done():
			return last, waitEnded(ctx, &NotSettledError{App: last, Generation: generation, Last: afterDeadline(ctx, err)})
		case <-time.After(resumePause):
		}
	}
}

// waitOnce reads the App and watches it until visit returns true or the watch closes.
func (c *Client) waitOnce(ctx context.Context, visit func(*appv1.App) bool) (bool, error) {
	app, err := c.App(ctx)
	if err != nil {
		return false, err
	}
	if visit(app) {
		return true, nil
	}
	events, err := c.rest.Get().AbsPath(appPath).Param("watch", "true").
		Param("fieldSelector", "metadata.name="+appv1.AppName).Param("resourceVersion", app.ResourceVersion).
		Param("timeoutSeconds", watchSeconds).Watch(ctx)
	if err != nil {
		return false, fmt.Errorf("watch App %q: %w", appv1.AppName, err)
	}
	defer events.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case event, open := <-events.ResultChan():
			if !open || event.Type == watch.Error {
				return false, nil
			}
			if app, ok := event.Object.(*appv1.App); ok && event.Type != watch.Deleted && visit(app) {
				return true, nil
			}
		}
	}
}

// watchProcess cancels a wait when the daemon's process has been gone for longer
// than restartGrace.
func (c *Client) watchProcess(ctx context.Context, cancel context.CancelCauseFunc) {
	if c.alive == nil {
		return
	}
	ticker := time.NewTicker(processInterval)
	defer ticker.Stop()
	seen := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if c.alive() {
				seen = now
			} else if now.Sub(seen) > restartGrace {
				cancel(ErrDaemonEnded)
				return
			}
		}
	}
}

// final reports whether a retry would get the same error from the API server.
func final(err error) bool {
	return apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err)
}

// waitEnded returns why ctx ended.
func waitEnded(ctx context.Context, deadline error) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return deadline
}

// afterDeadline returns err, or nil if err is the deadline itself.
func afterDeadline(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
