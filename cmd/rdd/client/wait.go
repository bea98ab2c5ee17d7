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
)

const (
	// watchSeconds bounds one watch, so that a connection which silently died
	// is replaced.
	watchSeconds = "60"
	// resumePause is the pause between a watch that closed and the next.
	resumePause = 50 * time.Millisecond
	// aliveEvery is how often the daemon's process is looked for.
	aliveEvery = 200 * time.Millisecond
	// comeBack is how long a daemon may be gone, as it is during a restart.
	comeBack = 3 * time.Second
)

// ErrDaemonEnded says that the daemon ended during a wait.
var ErrDaemonEnded = errors.New("the daemon ended while it was waited for; see 'rdd svc logs', and start it again with 'rdd svc start'")

// NotSettledError says what was still missing when a wait's deadline passed. It
// is a context.DeadlineExceeded.
type NotSettledError struct {
	// App as last seen; nil when it could not be read at all.
	App *appv1.App
	// Generation that was waited for.
	Generation int64
	// Last error of reading the App, if any.
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
			continue // it would say again what the others said
		}
		text := fmt.Sprintf("%s is %s (%s)", c.Type, c.Status, c.Reason)
		if c.Message != "" {
			text += ": " + c.Message
		}
		if c.ObservedGeneration < e.Generation {
			text += fmt.Sprintf(" [of generation %d, waiting for %d]", c.ObservedGeneration, e.Generation)
		}
		missing = append(missing, text)
	}
	if len(missing) == 0 {
		missing = []string{"the App has no conditions yet"}
	}
	text := "the deadline passed; still missing: " + strings.Join(missing, "; ")
	if e.Last != nil {
		text += fmt.Sprintf("; the App could last not be read: %v", e.Last)
	}
	return text + "; it goes on in the background, see 'rdd status' and 'rdd svc logs'"
}

// Unwrap makes it a deadline that passed.
func (*NotSettledError) Unwrap() error { return context.DeadlineExceeded }

// RefusedError says that what was waited for cannot happen as things are.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string {
	return e.Message + "\nthe request cannot succeed as things are: fix the cause and run the command again (rdd retries in the background, see 'rdd status')"
}

// refused returns why what the given generation asks for cannot happen; nil if it can.
func refused(app *appv1.App, generation int64) error {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	if c == nil || c.Status == metav1.ConditionTrue || c.Reason != appv1.ReasonRefused || c.ObservedGeneration < generation {
		return nil
	}
	return &RefusedError{Message: c.Message}
}

// news is whether what the App says of itself was not yet about the generation
// when it was written: then what it says of that later is younger than the wish.
func news(app *appv1.App, generation int64) bool {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	return c == nil || c.ObservedGeneration < generation
}

// tryAgain has the daemon look at once whether what it refused was mended.
func (c *Client) tryAgain(ctx context.Context) (*appv1.App, error) {
	patch := fmt.Sprintf(`{"spec":{"vm":{"retry":%q}}}`, time.Now().UTC().Format(time.RFC3339Nano))
	return c.PatchApp(ctx, []byte(patch), false)
}

// Settled says whether everything that the given generation asks for, or a
// later one, has happened. A condition of an earlier generation does not count.
func Settled(app *appv1.App, generation int64) bool {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration >= generation
}

// WaitSettled waits until the App has settled at generation or later, and tells
// report of each state it sees, and of the generation that it waits for. A watch that closes is resumed. It returns a
// *NotSettledError when ctx's deadline passes, a *RefusedError as soon as the
// daemon says that it cannot be done, and ErrDaemonEnded when the daemon's
// process is gone for longer than a restart takes. A refusal that may be older
// than the wait is not believed: the user may have mended its cause, so the
// daemon is asked to look again, which makes another generation.
func (c *Client) WaitSettled(ctx context.Context, generation int64, report func(app *appv1.App, generation int64)) (*appv1.App, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go c.watchProcess(ctx, cancel)

	var last *appv1.App
	fresh := false
	see := func(app *appv1.App) bool {
		last = app
		fresh = fresh || news(app, generation)
		no := refused(app, generation) != nil
		if fresh || !no {
			report(app, generation)
		}
		return no || Settled(app, generation)
	}
	for {
		done, err := c.waitOnce(ctx, see)
		if done {
			no := refused(last, generation)
			if no == nil || fresh {
				return last, no
			}
			asked, err := c.tryAgain(ctx)
			if err != nil {
				return last, no
			}
			generation, fresh = asked.Generation, true
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

// waitOnce reads the App and watches it until see is satisfied or the watch closes.
func (c *Client) waitOnce(ctx context.Context, see func(*appv1.App) bool) (bool, error) {
	app, err := c.App(ctx)
	if err != nil {
		return false, err
	}
	if see(app) {
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
			if app, ok := event.Object.(*appv1.App); ok && event.Type != watch.Deleted && see(app) {
				return true, nil
			}
		}
	}
}

// watchProcess cancels a wait when the daemon's process is gone and does not
// come back: without it nothing will ever happen.
func (c *Client) watchProcess(ctx context.Context, cancel context.CancelCauseFunc) {
	if c.alive == nil {
		return
	}
	ticker := time.NewTicker(aliveEvery)
	defer ticker.Stop()
	seen := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if c.alive() {
				seen = now
			} else if now.Sub(seen) > comeBack {
				cancel(ErrDaemonEnded)
				return
			}
		}
	}
}

// final says whether an answer of the API server will be the same next time.
func final(err error) bool {
	return apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err)
}

// waitEnded says why ctx ended.
func waitEnded(ctx context.Context, deadline error) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return deadline
}

// afterDeadline drops an error that is only the deadline itself.
func afterDeadline(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
