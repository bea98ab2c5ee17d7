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

// target returns an examination of a new instance whose daemon is in a state.
func target(t *testing.T, state lifecycle.State) *examination {
	t.Helper()
	e := &examination{Target: Target{Instance: instancetest.Create(t, "doc")}}
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
		t.Errorf("no next step for: %s", got.Text)
	}
}

func TestFilesReadableByOthersAreFound(t *testing.T) {
	e := target(t, lifecycle.StateStopped)
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
	e := target(t, lifecycle.StateStopped)
	expect(t, e.datastore(t.Context()), Skipped, "no datastore")
	path := filepath.Join(e.Instance.DataDir, datastore.FileName)
	if err := os.WriteFile(path, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, e.datastore(t.Context()), Finding, "not a database")
}

func TestDaemonKilledDiffersFromStopped(t *testing.T) {
	e := target(t, lifecycle.StateStopped)
	expect(t, e.daemon(t.Context()), Skipped, "stopped")
	if err := os.WriteFile(e.Instance.PidFile, []byte("4711\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, e.daemon(t.Context()), Finding, "4711")
	expect(t, target(t, lifecycle.StateHung).daemon(t.Context()), Finding, "another program")
	expect(t, target(t, lifecycle.StateRunning).daemon(t.Context()), Finding, "another program")
}

func TestUnusableKubeconfigIsFound(t *testing.T) {
	e := target(t, lifecycle.StateStopped)
	expect(t, e.kubeconfig(t.Context()), Skipped, "no kubeconfig")
	for text, words := range map[string]string{
		"{":                               "read kubeconfig",
		kubeconfig("http://x"):            "not an https URL of this machine",
		kubeconfig("https://192.0.2.1:1"): "not an https URL of this machine",
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

// A check on a file system that hangs ignores every deadline.
func TestHungCheckDoesNotBlockOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		defer close(blocked)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		began := time.Now()
		results := runAll(ctx, []check{
			{"a", func(context.Context) Result { <-blocked; return Result{} }},
			{"b", func(context.Context) Result { return ok("fine") }},
			{"c", func(context.Context) Result { <-blocked; return Result{} }},
		})
		if len(results) != 3 || results[0].State != Finding || results[1].State != OK || results[2].State != Finding {
			t.Errorf("got %+v", results)
		}
		if took := time.Since(began); took > checkTimeout+checkGrace {
			t.Errorf("runAll took %s", took)
		}
	})
}

func TestPrintShowsNextSteps(t *testing.T) {
	many := make([]invariant.Difference, maxShown+5)
	report := Report{Instance: "x", Checks: []Result{
		{Check: "files", State: OK, Text: "fine"},
		{Check: "mirrors", State: Finding, Text: "two\nlines", Next: "fix this", Differences: many},
	}}
	var b strings.Builder
	if err := report.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"two; lines", "→ fix this", "and 5 more", "1 finding", "support-bundle"} {
		if !strings.Contains(b.String(), words) {
			t.Errorf("%q is missing in:\n%s", words, b.String())
		}
	}
}

// Most checks need the API server, which may not answer, for example because it is
// out of file descriptors.
func TestUncheckedIsNotHealthy(t *testing.T) {
	refused := errors.New("connection refused")
	for state, want := range map[lifecycle.State]State{
		lifecycle.StateRunning: Unchecked, lifecycle.StateHung: Unchecked, lifecycle.StateStopped: Skipped,
	} {
		e := target(t, state)
		e.app = func() (*appv1.App, error) {
			if state == lifecycle.StateRunning {
				return nil, refused
			}
			return nil, &noDaemonError{state}
		}
		for name, check := range map[string]func(context.Context) Result{"app": e.conditions, "engine": e.engine, "mirrors": e.mirrors} {
			if got := check(t.Context()); got.State != want {
				t.Errorf("daemon %s: %s is %s (%s), want %s", state, name, got.State, got.Text, want)
			}
		}
	}
	var b strings.Builder
	report := Report{Instance: "x", Checks: []Result{{Check: "daemon", State: OK}, {Check: "mirrors", State: Unchecked, Text: "why"}}}
	if err := report.Print(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "is healthy") || !strings.Contains(b.String(), "1 check could not be made") {
		t.Errorf("got:\n%s", b.String())
	}
}
