package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmlook"
)

type statusCmd struct {
	output
}

// overview is the state of an instance on one screen.
type overview struct {
	Daemon lifecycle.Status `json:"daemon"`
	App    *appState        `json:"app,omitempty"`
	// VM of vm.driver=lima; nil when there is none.
	VM      *vmlook.Report `json:"vm,omitempty"`
	Mirrors *client.Counts `json:"mirrors,omitempty"`
}

type appState struct {
	Generation int64           `json:"generation"`
	Spec       appv1.AppSpec   `json:"spec"`
	Status     appv1.AppStatus `json:"status"`
}

// Run implements the command.
func (c *statusCmd) Run(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, lookTimeout)
	defer cancel()
	view, err := s.overview(ctx)
	if err != nil {
		return err
	}
	if c.json() {
		err = s.printJSON(view)
	} else {
		err = table(s.out, view.rows())
	}
	if err == nil && view.Daemon.State != lifecycle.StateRunning {
		err = statusError(exitError)
	}
	return err
}

func (s *session) overview(ctx context.Context) (overview, error) {
	var view overview
	vm, err := vmlook.Look(ctx, s.instance.Name, s.vmPaths())
	if err != nil {
		return view, err
	}
	if vm.State != vmlook.StateNone {
		view.VM = &vm
	}
	if view.Daemon, err = s.manager(func(string) {}).Status(ctx); err != nil || view.Daemon.State != lifecycle.StateRunning {
		return view, err
	}
	c, err := client.New(s.instance)
	if err != nil {
		return view, err
	}
	app, err := c.App(ctx)
	if err != nil {
		return view, err
	}
	view.App = &appState{app.Generation, app.Spec, app.Status}
	counts, err := c.Counts(ctx, cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace))
	if err != nil {
		return view, err
	}
	view.Mirrors = &counts
	return view, nil
}

func (v overview) rows() [][2]string {
	rows := daemonRows(v.Daemon)
	if v.App != nil {
		rows = append(rows, v.App.rows()...)
	}
	if v.VM != nil {
		rows = append(rows, [2]string{"vm", v.VM.Summary() + "; more with 'rdd vm status'"})
	}
	if m := v.Mirrors; m != nil {
		text := fmt.Sprintf("%d containers (%d running), %d images, %d volumes",
			m.Containers, m.Running, m.Images, m.Volumes)
		if v.App != nil && !meta.IsStatusConditionTrue(v.App.Status.Conditions, appv1.ConditionEngineReady) {
			text += ", as of before: the engine is not connected"
		}
		rows = append(rows, [2]string{"mirrors", text})
	}
	return rows
}

func (a *appState) rows() [][2]string {
	wished := "stopped"
	if a.Spec.Running {
		wished = "running"
	}
	driver := string(a.Status.VM.Driver)
	if driver != "" && a.Status.VM.DriverReason != "" {
		driver += " (" + a.Status.VM.DriverReason + ")"
	}
	engine := string(a.Spec.ContainerEngine.Name)
	if a.Status.Engine.Version != "" {
		engine += " " + a.Status.Engine.Version + ", API " + a.Status.Engine.APIVersion
	}
	rows := [][2]string{
		{"wished", wished},
		{"engine", engine},
		{"driver", driver},
		{"endpoint", a.Status.VM.Endpoint},
	}
	for _, c := range a.Status.Conditions {
		rows = append(rows, [2]string{c.Type, conditionText(c, a.Generation)})
	}
	return rows
}

func conditionText(c metav1.Condition, generation int64) string {
	text := fmt.Sprintf("%s (%s)", c.Status, c.Reason)
	if c.Message != "" {
		text += ": " + strings.ReplaceAll(c.Message, "\n", "; ")
	}
	if c.ObservedGeneration < generation {
		text += " [before the last change]"
	}
	return text
}
