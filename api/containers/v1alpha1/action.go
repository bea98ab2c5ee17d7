package v1alpha1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ActionAnnotation requests an Action on a Container. rdd carries it out once and then
// removes the annotation; status.lastAction has the outcome.
const ActionAnnotation = "containers.rancherdesktop.io/action"

// Action is a change of a container that is carried out once.
// +kubebuilder:validation:Enum=start;stop;pause;unpause;restart;kill
type Action string

// The actions.
const (
	ActionStart   Action = "start"
	ActionStop    Action = "stop"
	ActionPause   Action = "pause"
	ActionUnpause Action = "unpause"
	ActionRestart Action = "restart"
	ActionKill    Action = "kill"
)

// Actions returns all actions.
func Actions() []Action {
	return []Action{ActionStart, ActionStop, ActionPause, ActionUnpause, ActionRestart, ActionKill}
}

// ActionState is the state of an action.
// +kubebuilder:validation:Enum=Running;Succeeded;Failed
type ActionState string

// The states of an action.
const (
	// ActionRunning: rdd is about to call the engine, or the engine is at work.
	ActionRunning ActionState = "Running"
	// ActionSucceeded: the engine has carried it out.
	ActionSucceeded ActionState = "Succeeded"
	// ActionFailed: the engine has refused it, the container is being deleted, or a kill
	// has interrupted it.
	ActionFailed ActionState = "Failed"
)

// ActionStatus is the last action on a container.
type ActionStatus struct {
	// Action is the action: start, stop, pause, unpause, restart or kill.
	Action Action `json:"action"`
	// State is Running until the action has ended, and then Succeeded or Failed.
	State ActionState `json:"state"`
	// Error says why the action failed: the engine's error, or rdd's own if a delete or a
	// kill interrupted the action.
	// +optional
	Error string `json:"error,omitempty"`
	// ObservedAt is the time at which rdd accepted the action.
	ObservedAt metav1.MicroTime `json:"observedAt"`
	// CompletedAt is the time at which the action ended.
	// +optional
	CompletedAt *metav1.MicroTime `json:"completedAt,omitempty"`
	// Before is the container before the action. It is written before the engine is called,
	// and removed when the action ends. It shows a restarted daemon whether the engine has
	// carried out the action.
	// +optional
	Before *ContainerRun `json:"before,omitempty"`
}

// ContainerRun is one run of a container.
type ContainerRun struct {
	// Status is the state of the container.
	// +optional
	Status ContainerState `json:"status,omitempty"`
	// StartedAt is the time at which the run began. It is absent if the container has
	// never been started.
	// +optional
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
}

// RequestedAction returns the action that the annotation of a container requests; empty
// if there is none, or an unknown one.
func (c *Container) RequestedAction() Action {
	action := Action(c.Annotations[ActionAnnotation])
	if !slices.Contains(Actions(), action) {
		return ""
	}
	return action
}

// RunningAction returns the action that has been accepted and has not ended, or nil.
func (c *Container) RunningAction() *ActionStatus {
	if last := c.Status.LastAction; last != nil && last.State == ActionRunning {
		return last
	}
	return nil
}

// Run returns the last run of a container.
func (s *ContainerStatus) Run() ContainerRun {
	return ContainerRun{Status: s.Status, StartedAt: s.StartedAt}
}
