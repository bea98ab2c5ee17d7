package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
)

func (v overview) rows() [][2]string {
	rows := v.Daemon.rows()
	if v.Engine != nil {
		rows = append(rows, [2]string{"engine", "still running: " + v.Engine.String()})
	}
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
	shown := map[string]string{}
	for _, part := range slices.Sorted(maps.Keys(v.Errors)) {
		text := v.Errors[part]
		if first, isShown := shown[text]; isShown {
			text = "see " + first
		} else {
			shown[text] = part
		}
		rows = append(rows, [2]string{part, "unavailable: " + text})
	}
	return append(rows, [2]string{"next", v.Next})
}

// String returns the process of the engine and its containers.
func (e *engineState) String() string {
	if e.Containers == nil || e.Running == nil {
		return e.Detail
	}
	noun := "containers"
	if *e.Containers == 1 {
		noun = "container"
	}
	return fmt.Sprintf("%s; %d %s, %d running", e.Detail, *e.Containers, noun, *e.Running)
}

func (a *appState) rows() [][2]string {
	desired := "stopped"
	if a.Spec.Running {
		desired = "running"
	}
	if a.Status.IsIdle() {
		desired += ", now idle"
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
	if hub := a.Status.Hub; hub != nil {
		rows = append(rows, [2]string{"hub", fmt.Sprintf("%s, as machine %s; its users can %s (--allow=%s)",
			hub.Server, hub.Machine, allowed(hubv1.Allow(hub.Allow)), hub.Allow)})
	}
	for i, c := range a.Status.Conditions {
		rows = append(rows, [2]string{c.Type, conditionText(c, a.Status.Conditions[:i], a.Generation)})
	}
	return rows
}

// conditionText returns a condition, without what earlier ones have said.
func conditionText(c metav1.Condition, earlier []metav1.Condition, generation int64) string {
	text := fmt.Sprintf("%s (%s)", c.Status, c.Reason)
	if c.Message != "" {
		text += ": " + withoutRepeats(c.Message, earlier)
	}
	if c.ObservedGeneration < generation {
		text += " [outdated: observed before the last change]"
	}
	return text
}

// withoutRepeats returns a message, in which "see TYPE" replaces the end that is the
// message of an earlier condition, or its short form.
func withoutRepeats(message string, earlier []metav1.Condition) string {
	for _, c := range earlier {
		for _, repeated := range []string{c.Message, failuretext.Short(c.Message)} {
			if repeated == "" {
				continue
			}
			if before, isRepeated := strings.CutSuffix(message, repeated); isRepeated {
				return before + "see " + c.Type
			}
		}
	}
	return message
}
