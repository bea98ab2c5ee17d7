package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/dockercontext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
)

// waiting has the flags of commands that change the App and wait.
type waiting struct {
	output
	Wait    bool          `help:"Wait until the change is applied." default:"true" negatable:""`
	Timeout time.Duration `help:"How long to wait; 0 does not wait. After that the exit code is 4, and the operation continues in the background." default:"5m"`
}

func (w waiting) enabled() bool { return w.Wait && w.Timeout > 0 }

type setCmd struct {
	Assignments []string `arg:"" name:"property=value" predictor:"assignment" help:"Property and its new value, such as running=true."`
	DryRun      bool     `help:"Let the API server validate the change and show it, without applying it."`
	waiting
}

// Run implements the command.
func (c *setCmd) Run(s *session) error {
	assignments, err := withAbsolutePaths(c.Assignments)
	if err != nil {
		return err
	}
	_, err = s.apply(change{assignments: assignments, dryRun: c.DryRun}, c.waiting)
	return err
}

// changed is the result of a change of the App.
type changed struct {
	Instance string            `json:"instance"`
	Changes  []property.Change `json:"changes"`
	DryRun   bool              `json:"dryRun,omitempty"`
	// Generation of the App with the change.
	Generation int64 `json:"generation,omitempty"`
	// Settled is set if the command has waited until the change was applied.
	Settled bool `json:"settled"`
	// Seconds is how long the command has waited.
	Seconds float64 `json:"seconds"`
	// Conditions of the App, as far as the command has waited for them.
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Note is what a user should know although the change was applied.
	Note string `json:"note,omitempty"`
	// Error is the reason why the change is not applied yet.
	Error string `json:"error,omitempty"`
}

// withAbsolutePaths makes the path of vm.image absolute, because the daemon runs in
// another directory.
func withAbsolutePaths(assignments []string) ([]string, error) {
	assignments = slices.Clone(assignments)
	for i, assignment := range assignments {
		path, found := strings.CutPrefix(assignment, "vm.image=")
		if !found || path == "" || path == appv1.ImageCloud {
			continue
		}
		// A shell does not expand ~ in the middle of a word.
		if below, found := strings.CutPrefix(path, "~/"); found {
			if home, err := os.UserHomeDir(); err == nil {
				path = filepath.Join(home, below)
			}
		}
		path, err := filepath.Abs(path)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return nil, &usageError{fmt.Sprintf("%s: %v: use the directory of a built image, a lima.yaml, 'cloud', or an empty value for the default", assignment, err)}
		}
		assignments[i] = "vm.image=" + path
	}
	return assignments, nil
}

// change is a change of the App that a command makes.
type change struct {
	assignments []string
	dryRun      bool
	// check, unless it is nil, gets the App before the change, and can reject it.
	check func(*appv1.App) error
	// selection says whether the docker context of a started engine becomes the current one.
	selection dockercontext.Selection
}

// apply starts the daemon if none runs, changes the App, and waits until the change
// is applied. Then the docker context matches the engine. set reports whether the App was
// changed, even if the wait failed.
func (s *session) apply(what change, wait waiting) (set bool, err error) {
	if wait.Timeout < 0 {
		return false, &usageError{"--timeout must not be negative"}
	}
	// Validate before starting a daemon.
	running, err := s.running()
	if err != nil {
		return false, err
	}
	if !running {
		crd, err := property.EmbeddedCRD()
		if err != nil {
			return false, err
		}
		if _, err := patchFor(crd, what.assignments); err != nil {
			return false, err
		}
	}
	shown := progress.New(s.err)
	defer shown.Close()
	ctx := s.ctx
	if wait.enabled() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wait.Timeout)
		defer cancel()
	}
	c, err := s.connect(ctx, shown)
	if err != nil {
		return false, err
	}
	if note := s.otherVersion(ctx, c); note != "" {
		shown.Erase()
		s.note(s.err, note)
	}
	result, err := s.change(ctx, c, what)
	if err != nil {
		return false, err
	}
	people := s.quiet(wait.structured())
	var settled *appv1.App
	if result.print(people, shown); !what.dryRun && wait.enabled() {
		s.applying = true
		settled, err = s.waitSettled(ctx, c, shown, people, result)
	}
	if settled != nil {
		s.offerContext(settled, what.selection)
	}
	if wait.structured() {
		shown.Close()
		err = errors.Join(err, s.show(wait.output, result, nil))
	}
	return true, err
}

// quiet returns the standard output for people, which discards everything if the output
// is for programs.
func (s *session) quiet(structured bool) io.Writer {
	if structured {
		return io.Discard
	}
	return s.out
}

// print prints the changes.
func (r *changed) print(out io.Writer, shown *progress.Progress) {
	for _, change := range r.Changes {
		shown.Erase()
		fmt.Fprintln(out, change)
	}
	if r.DryRun {
		shown.Erase()
		fmt.Fprintln(out, "dry run: nothing was changed")
	}
}

func patchFor(crd *apiextensionsv1.CustomResourceDefinition, assignments []string) ([]byte, error) {
	properties, err := property.FromCRD(crd, appv1.GroupVersion.Version)
	if err != nil {
		return nil, err
	}
	return properties.Patch(assignments)
}

// change patches the App and returns the differences.
func (s *session) change(ctx context.Context, c *client.Client, what change) (*changed, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	crd, err := c.AppDefinition(ctx)
	if err != nil {
		return nil, err
	}
	patch, err := patchFor(crd, what.assignments)
	if err != nil {
		return nil, err
	}
	before, err := c.App(ctx)
	if err != nil {
		return nil, err
	}
	if what.check != nil {
		if err := what.check(before); err != nil {
			return nil, err
		}
	}
	after, err := c.PatchApp(ctx, patch, what.dryRun)
	if err != nil {
		return nil, err
	}
	changes, err := property.Diff(before.Spec, after.Spec)
	if err != nil {
		return nil, err
	}
	return &changed{
		Instance: s.instance.Name, Changes: slices.Concat([]property.Change{}, changes),
		DryRun: what.dryRun, Generation: after.Generation,
	}, nil
}

// waitSettled waits until the App has settled, and returns it. It shows what it waits
// for, and each reason of a failed attempt once.
func (s *session) waitSettled(ctx context.Context, c *client.Client, shown *progress.Progress, out io.Writer, result *changed) (*appv1.App, error) {
	app, err := c.WaitSettled(ctx, result.Generation, func(app *appv1.App, generation int64) {
		if !client.Settled(app, generation) {
			now, failure := waitReason(app, generation)
			shown.Reason(s.typeable(failure))
			shown.Update(s.typeable(now))
		}
	})
	result.Seconds = shown.Elapsed().Seconds()
	if app != nil {
		result.Conditions, result.Generation = app.Status.Conditions, app.Generation
	}
	if err != nil {
		result.Error = err.Error()
		if refused, ok := errors.AsType[*client.RefusedError](err); ok && shown.HasShown(s.typeable(refused.Message)) {
			first, _, _ := strings.Cut(refused.Message, "\n")
			return nil, &client.RefusedError{Message: first + " (see above)"}
		}
		return nil, err
	}
	shown.Close()
	result.Settled, result.Note = true, noteOf(app)
	fmt.Fprintf(out, "done after %s: %s\n", rounded(shown.Elapsed()), conditionsLine(app))
	if result.Note != "" {
		s.note(out, result.Note)
	}
	return app, nil
}

// noteOf returns the message of the Running condition: what a user should know
// although the change was applied, such as a full disk in the VM.
func noteOf(app *appv1.App) string {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionRunning)
	if c == nil {
		return ""
	}
	return c.Message
}

// waitReason returns what the daemon is still doing, in its own words, and the reason of
// the last failed attempt.
func waitReason(app *appv1.App, generation int64) (now, failure string) {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	if c == nil || c.ObservedGeneration < generation {
		return "waiting for the daemon to observe the change", ""
	}
	running := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionRunning)
	if running == nil {
		return cmp.Or(c.Message, c.Reason), ""
	}
	now, failure = failuretext.Split(running.Message)
	if failure == "" {
		return cmp.Or(c.Message, c.Reason), ""
	}
	// The message of Settled repeats the reason.
	what, _, _ := strings.Cut(c.Message, ": ")
	return what + ": " + now, failure
}

// conditionsLine shows status and reason of the main conditions.
func conditionsLine(app *appv1.App) string {
	var parts []string
	for _, name := range []string{appv1.ConditionRunning, appv1.ConditionEngineReady} {
		if c := meta.FindStatusCondition(app.Status.Conditions, name); c != nil {
			parts = append(parts, fmt.Sprintf("%s=%s (%s)", name, c.Status, c.Reason))
		}
	}
	return strings.Join(parts, ", ")
}
