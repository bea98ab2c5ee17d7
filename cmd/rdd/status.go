package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmstatus"
)

type statusCmd struct {
	output
}

// overview is the state of an instance.
type overview struct {
	Daemon lifecycle.Status `json:"daemon"`
	App    *appState        `json:"app,omitempty"`
	// VM is the VM of vm.driver=lima; nil if there is none.
	VM      *vmstatus.Report `json:"vm,omitempty"`
	Mirrors client.Counts    `json:"mirrors,omitempty"`
	// Errors has the reason for each part that is missing, by name.
	Errors map[string]string `json:"errors,omitempty"`
}

type appState struct {
	Generation int64           `json:"generation"`
	Spec       appv1.AppSpec   `json:"spec"`
	Status     appv1.AppStatus `json:"status"`
}

// Run implements the command.
func (c *statusCmd) Run(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	view := s.overview(ctx)
	var err error
	if c.json() {
		err = s.printJSON(view)
	} else {
		err = s.table(view.rows())
	}
	if err == nil && (view.Daemon.State != lifecycle.StateRunning || len(view.Errors) > 0) {
		err = statusError(exitError)
	}
	return err
}

// overview reads every part. A part that fails does not affect the others.
func (s *session) overview(ctx context.Context) overview {
	view := overview{Errors: map[string]string{}}
	failed := func(part string, err error) bool {
		if err != nil {
			view.Errors[part] = err.Error()
		}
		return err != nil
	}
	vm, err := vmstatus.Inspect(ctx, s.instance.Name, s.vmPaths())
	if !failed("vm", err) && vm.State != vmstatus.StateNone {
		view.VM = &vm
	}
	view.Daemon, err = s.manager(func(string) {}).Status(ctx)
	if failed("daemon", err) || view.Daemon.State != lifecycle.StateRunning {
		return view
	}
	c, err := client.New(s.instance)
	if failed("app", err) {
		return view
	}
	namespace := appv1.DefaultNamespace
	if app, err := c.App(ctx); !failed("app", err) {
		view.App = &appState{app.Generation, app.Spec, app.Status}
		namespace = cmp.Or(app.Spec.Namespace, namespace)
	}
	if counts, err := c.Counts(ctx, namespace); !failed("mirrors", err) {
		view.Mirrors = counts
	}
	return view
}

func (v overview) rows() [][2]string {
	rows := daemonRows(v.Daemon)
	if v.App != nil {
		rows = append(rows, v.App.rows()...)
	}
	if v.VM != nil {
		rows = append(rows, [2]string{"vm", v.VM.Summary() + "; details: 'rdd vm status'"})
	}
	if m := v.Mirrors; m != nil {
		text := m.String()
		if v.App != nil && !meta.IsStatusConditionTrue(v.App.Status.Conditions, appv1.ConditionEngineReady) {
			text += ", as last read: the engine is not connected"
		}
		rows = append(rows, [2]string{"mirrors", text})
	}
	for _, part := range slices.Sorted(maps.Keys(v.Errors)) {
		rows = append(rows, [2]string{part, "unavailable: " + v.Errors[part]})
	}
	return rows
}

func (a *appState) rows() [][2]string {
	desired := "stopped"
	if a.Spec.Running {
		desired = "running"
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
		{"desired", desired},
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
		text += " [outdated: observed before the last change]"
	}
	return text
}
