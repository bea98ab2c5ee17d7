package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// waiting is how commands that change the App wait.
type waiting struct {
	Wait    bool          `help:"Wait until everything that is asked for has happened." default:"true" negatable:""`
	Timeout time.Duration `help:"How long to wait; 0 does not wait. When it passes the exit code is 4 and the work goes on." default:"5m"`
}

func (w waiting) wanted() bool { return w.Wait && w.Timeout > 0 }

type setCmd struct {
	Assignments []string `arg:"" name:"property=value" help:"What to set, such as running=true."`
	DryRun      bool     `help:"Ask the API server what would change, and change nothing."`
	waiting
}

// Run implements the command.
func (c *setCmd) Run(s *session) error {
	assignments, err := withPaths(c.Assignments)
	if err != nil {
		return err
	}
	_, err = s.apply(change{assignments: assignments, dryRun: c.DryRun}, c.waiting)
	return err
}

// withPaths makes a path on the command line one that the daemon, which runs in
// another directory, understands.
func withPaths(assignments []string) ([]string, error) {
	assignments = slices.Clone(assignments)
	for i, assignment := range assignments {
		path, found := strings.CutPrefix(assignment, "vm.image=")
		if !found || path == "" || path == appv1.ImageCloud {
			continue
		}
		// A shell expands no ~ in the middle of a word.
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
			return nil, &usageError{fmt.Sprintf("%s: %v; name the directory of a built image or a lima.yaml, 'cloud', or nothing for the default", assignment, err)}
		}
		assignments[i] = "vm.image=" + path
	}
	return assignments, nil
}

// change is what a command does to the App.
type change struct {
	assignments []string
	dryRun      bool
	// check, if it is set, looks at the App before it is changed, and may refuse.
	check func(*appv1.App) error
}

// apply sets properties, starting the daemon when needed, and waits. It says
// whether they were set, which does not mean that what they ask for has happened.
func (s *session) apply(what change, wait waiting) (set bool, err error) {
	if wait.Timeout < 0 {
		return false, &usageError{"--timeout must not be negative"}
	}
	// What this program knows to be wrong is not worth starting a daemon for.
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
	if wait.wanted() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wait.Timeout)
		defer cancel()
	}
	c, err := s.connect(ctx, shown)
	if err != nil {
		return false, err
	}
	after, err := s.change(ctx, c, shown, what)
	if err != nil || what.dryRun || !wait.wanted() {
		return err == nil, err
	}
	return true, s.settle(ctx, c, shown, after.Generation)
}

func patchFor(crd *apiextensionsv1.CustomResourceDefinition, assignments []string) ([]byte, error) {
	properties, err := property.FromCRD(crd, appv1.GroupVersion.Version)
	if err != nil {
		return nil, err
	}
	return properties.Patch(assignments)
}

// change patches the App and prints what is different afterwards.
func (s *session) change(ctx context.Context, c *client.Client, shown *progress.Progress, what change) (*appv1.App, error) {
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
	for _, change := range changes {
		shown.Erase()
		fmt.Fprintln(s.out, change)
	}
	if what.dryRun {
		fmt.Fprintf(s.out, "%d changes; nothing was changed, as this was a dry run\n", len(changes))
	}
	return after, nil
}

// settle waits until the App has settled at generation, and shows what for.
func (s *session) settle(ctx context.Context, c *client.Client, shown *progress.Progress, generation int64) error {
	app, err := c.WaitSettled(ctx, generation, func(app *appv1.App, generation int64) {
		if !client.Settled(app, generation) {
			shown.Update(waitsFor(app, generation))
		}
	})
	if err != nil {
		return err
	}
	shown.Close()
	fmt.Fprintf(s.out, "done after %s: %s\n", within(shown.Elapsed()), conditionsLine(app))
	if note := noteOf(app); note != "" {
		fmt.Fprintf(s.out, "note: %s\n", note)
	}
	return nil
}

// noteOf is what a user should know of an engine that is as it should be.
func noteOf(app *appv1.App) string {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionRunning)
	if c == nil {
		return ""
	}
	return c.Message
}

// waitsFor says in the daemon's words what is still to happen.
func waitsFor(app *appv1.App, generation int64) string {
	c := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionSettled)
	if c == nil || c.ObservedGeneration < generation {
		return "waiting for the daemon to take the change up"
	}
	return cmp.Or(c.Message, c.Reason)
}

// conditionsLine shows the conditions that matter in a few words.
func conditionsLine(app *appv1.App) string {
	var parts []string
	for _, name := range []string{appv1.ConditionRunning, appv1.ConditionEngineReady} {
		if c := meta.FindStatusCondition(app.Status.Conditions, name); c != nil {
			parts = append(parts, fmt.Sprintf("%s=%s (%s)", name, c.Status, c.Reason))
		}
	}
	return strings.Join(parts, ", ")
}

// printProperties lists what can be set: as the daemon says, if one answers,
// else as this program would install it.
func printProperties(out io.Writer, name string) error {
	crd := askedDefinition(name)
	if crd == nil {
		var err error
		if crd, err = property.EmbeddedCRD(); err != nil {
			return err
		}
	}
	properties, err := property.FromCRD(crd, appv1.GroupVersion.Version)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nProperties:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range properties.Settable() {
		kind := p.Type
		if len(p.Enum) > 0 {
			kind = strings.Join(p.Enum, "|")
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", p.Name, kind, "default "+cmp.Or(p.Default, `""`), p.Description)
	}
	return w.Flush()
}

// askedDefinition is nil when no daemon answers.
func askedDefinition(name string) *apiextensionsv1.CustomResourceDefinition {
	inst, err := instance.New(name)
	if err != nil {
		return nil
	}
	c, err := (&session{instance: inst}).existing()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	crd, err := c.AppDefinition(ctx)
	if err != nil {
		return nil
	}
	return crd
}
