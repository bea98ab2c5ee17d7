package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
)

// patient is an instance in a home of its own, whose daemon is in this state.
func patient(t *testing.T, state lifecycle.State) *examination {
	t.Helper()
	e := &examination{Patient: Patient{Instance: instancetest.Create(t, "doc")}}
	e.status = func() (lifecycle.Status, error) {
		return lifecycle.Status{State: state, PID: os.Getpid()}, nil
	}
	return e
}

func expect(t *testing.T, got Result, state State, words string) {
	t.Helper()
	if got.State != state || !strings.Contains(got.Text, words) {
		t.Errorf("got %s: %s, want %s: …%s…", got.State, got.Text, state, words)
	}
	if got.State == Finding && got.Next == "" {
		t.Errorf("nothing says what to do about: %s", got.Text)
	}
}

func TestFilesOfOthersEyesAreFound(t *testing.T) {
	e := patient(t, lifecycle.StateStopped)
	for _, file := range []string{e.Instance.Config, filepath.Join(e.Instance.TLSDir, "token")} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, e.files(t.Context()), OK, "0600")
	for _, path := range []string{e.Instance.Config, filepath.Join(e.Instance.TLSDir, "token"), e.Instance.ShortDir} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, info.Mode().Perm()|0o004); err != nil {
			t.Fatal(err)
		}
		expect(t, e.files(t.Context()), Finding, path)
		if err := os.Chmod(path, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(e.Instance.LogDir); err != nil {
		t.Fatal(err)
	}
	expect(t, e.files(t.Context()), Finding, e.Instance.LogDir)
}

func TestDamagedDatastoreIsFound(t *testing.T) {
	e := patient(t, lifecycle.StateStopped)
	expect(t, e.datastore(t.Context()), Skipped, "none")
	path := filepath.Join(e.Instance.DataDir, datastore.FileName)
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, e.datastore(t.Context()), Finding, "not a database")
}

func TestAKilledDaemonIsToldFromAStoppedOne(t *testing.T) {
	e := patient(t, lifecycle.StateStopped)
	expect(t, e.daemon(t.Context()), Skipped, "stopped")
	if err := os.WriteFile(e.Instance.PidFile, []byte("4711\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, e.daemon(t.Context()), Finding, "4711")
	expect(t, patient(t, lifecycle.StateHung).daemon(t.Context()), Finding, "another program")
	expect(t, patient(t, lifecycle.StateRunning).daemon(t.Context()), Finding, "another program")
}

func TestKubeconfigThatNobodyCanUse(t *testing.T) {
	e := patient(t, lifecycle.StateStopped)
	expect(t, e.kubeconfig(t.Context()), Skipped, "none")
	for text, words := range map[string]string{
		"{":                               "read kubeconfig",
		kubeconfig("http://x"):            "not this machine's own",
		kubeconfig("https://192.0.2.1:1"): "not this machine's own",
		kubeconfig("https://127.0.0.1:1"): "no token",
	} {
		if err := os.WriteFile(e.Instance.Config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, e.kubeconfig(t.Context()), Finding, words)
	}
}

func kubeconfig(server string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: %q}}]\n"+
		"contexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\nusers: [{name: a, user: {}}]\n", server)
}

// A file system that hangs ignores every deadline.
func TestALookThatHangsCostsOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forever := make(chan struct{})
		defer close(forever)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		results := examineAll(ctx, []look{
			{"a", func(context.Context) Result { <-forever; return Result{} }},
			{"b", func(context.Context) Result { return ok("fine") }},
			{"c", func(context.Context) Result { <-forever; return Result{} }},
		})
		if len(results) != 3 || results[0].State != Finding || results[1].State != OK || results[2].State != Finding {
			t.Errorf("got %+v", results)
		}
		if took := time.Since(began); took > lookTimeout+lookGrace {
			t.Errorf("it took %s", took)
		}
	})
}

func TestPrintSaysWhatToDo(t *testing.T) {
	many := make([]invariant.Difference, shown+5)
	report := Report{Instance: "x", Checks: []Result{
		{Check: "files", State: OK, Text: "fine"},
		{Check: "mirrors", State: Finding, Text: "two\nlines", Next: "mend it", Differences: many},
	}}
	var b strings.Builder
	if err := report.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"two; lines", "→ mend it", "and 5 more", "1 finding", "support-bundle"} {
		if !strings.Contains(b.String(), words) {
			t.Errorf("%q is missing in:\n%s", words, b.String())
		}
	}
}

// An API server that runs and does not answer, as one without descriptors, leaves
// most of the looks with nothing to look at.
func TestWhatCannotBeCheckedIsNotHealthy(t *testing.T) {
	refused := errors.New("connection refused")
	for state, want := range map[lifecycle.State]State{
		lifecycle.StateRunning: Unchecked, lifecycle.StateHung: Unchecked, lifecycle.StateStopped: Skipped,
	} {
		e := patient(t, state)
		e.app = func() (*appv1.App, error) {
			if state == lifecycle.StateRunning {
				return nil, refused
			}
			return nil, &noDaemonError{state}
		}
		for name, look := range map[string]func(context.Context) Result{"app": e.conditions, "engine": e.engine, "mirrors": e.mirrors} {
			if got := look(t.Context()); got.State != want {
				t.Errorf("daemon %s: %s is %s (%s), want %s", state, name, got.State, got.Text, want)
			}
		}
	}
	var b strings.Builder
	report := Report{Instance: "x", Checks: []Result{{Check: "daemon", State: OK}, {Check: "mirrors", State: Unchecked, Text: "why"}}}
	if err := report.Print(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "is healthy") || !strings.Contains(b.String(), "1 check could not be done") {
		t.Errorf("got:\n%s", b.String())
	}
}
