package world

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/laws"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/schedule"
)

// noTree is a tree without actors.
type noTree struct{}

func (noTree) Role(actor string) string { return actor }
func (noTree) Describe(any) string      { return "" }
func (noTree) Boot(Surroundings) Daemon { return nil }
func (noTree) Roles() []string          { return []string{"app"} }
func (noTree) MayFail(role string) bool { return role == "session" }
func (noTree) Grace() time.Duration     { return 15 * time.Second }

func (noTree) Created(func(bool) *laws.Laws, string)     {}
func (noTree) Posted(func(bool) *laws.Laws, string, any) {}

// inWorld runs a test in a world without a daemon.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(1, noTree{}, schedule.NewTrace(nil), false)) })
}

func TestEveryActIsDrawn(t *testing.T) {
	drawn, all := map[string]bool{}, acts()
	d := fate.New(1).Draw("acts")
	for range 10_000 {
		drawn[draw(d, all).name] = true
	}
	for _, a := range all {
		if !drawn[a.name] {
			t.Errorf("%s is never drawn", a.name)
		}
	}
}

func TestTwoServersBreakLaw(t *testing.T) {
	for name, stop := range map[string]bool{"one after the other": true, "at once": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := fate.NewProcess()
				first, err := w.serve(t.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				if stop {
					_ = first.Stop(t.Context())
					<-first.Done()
				}
				if _, err := w.serve(t.Context(), p); err != nil {
					t.Fatal(err)
				}
				if violated := len(w.violated) > 0; violated == stop {
					t.Errorf("violations %v", w.violated)
				}
			})
		})
	}
}

func TestPanicWithoutFaultBreaksLaw(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Failed("session", "EOF")
		w.Failed("app", schedule.SimulatedBug)
		if len(w.violated) > 0 {
			t.Error(w.violated)
		}
		w.Failed("app", "index out of range")
		if len(w.violated) != 1 {
			t.Error(w.violated)
		}
	})
}

func TestReportNamesSeedAndViolation(t *testing.T) {
	r := Result{Seed: 42, Violated: []string{"a law"}, end: slices.Repeat([]string{"line"}, 100)}
	report := r.Report()
	if !strings.Contains(report, "-seed=42") || !strings.Contains(report, "a law") || strings.Count(report, "line") != reported {
		t.Error(report)
	}
}
