package invariant

import (
	"fmt"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Problem is a class of differences.
type Problem string

// The problems.
const (
	// Missing: the engine has an object without a mirror.
	Missing Problem = "missing mirror"
	// Ghost: a mirror has no object in the engine.
	Ghost Problem = "ghost mirror"
	// Differs: a field has another value than in the engine.
	Differs Problem = "field differs"
	// NoFinalizer: rdd's finalizer is missing, or is on a kind that has none.
	NoFinalizer Problem = "wrong finalizer"
	// NoLabel: a label of the engine that Kubernetes allows is not a label of the resource.
	NoLabel Problem = "label of the engine is missing"
	// WrongName: the mirror's name is not the one for its status.
	WrongName Problem = "wrong name"
	// Duplicate: another mirror has the same object.
	Duplicate Problem = "duplicate mirror"
	// Ahead: an observed generation is higher than the generation.
	Ahead Problem = "observedGeneration beyond generation"
	// StaleRefusal: a condition reports the refusal of a request that no longer exists.
	StaleRefusal Problem = "refusal without a request"
	// Unread: the engine lists an object, but its inspection fails.
	Unread Problem = "unreadable object"
	// WaitingState: a desired state is neither applied nor visibly refused yet.
	WaitingState Problem = "desired state not applied"
	// WaitingAction: an action is neither Succeeded nor Failed yet.
	WaitingAction Problem = "action not ended"
	// WaitingDelete: a deletion is neither applied nor visibly refused yet.
	WaitingDelete Problem = "deletion not applied"
)

// Difference is one difference between the mirrors and the engine.
type Difference struct {
	Problem Problem           `json:"problem"`
	Kind    containersv1.Kind `json:"kind"`
	// Name is the name of the resource, which may be missing.
	Name string `json:"name"`
	// Object is the name of the object in the engine, as users know it.
	Object string `json:"object,omitempty"`
	// Field is the path of the field below status, such as ports[80/tcp].bindings.
	Field string `json:"field,omitempty"`
	// Engine and Mirror are the two values; empty if absent.
	Engine string `json:"engine,omitempty"`
	Mirror string `json:"mirror,omitempty"`
	// Age is how long a desired state, an action or a deletion has been waiting, as far
	// as the resource shows it; 0 for other problems.
	Age time.Duration `json:"age,omitempty"`
}

// Pending reports whether rdd may still be working on it. The caller decides by Age
// how long that may take.
func (d Difference) Pending() bool {
	return d.Problem == WaitingState || d.Problem == WaitingAction || d.Problem == WaitingDelete
}

// String returns the difference in one line.
func (d Difference) String() string {
	subject := fmt.Sprintf("%s %s", d.Kind, d.Name)
	if d.Object != "" && d.Object != d.Name {
		subject += fmt.Sprintf(" (%s)", d.Object)
	}
	switch {
	case d.Pending():
		return fmt.Sprintf("%s: %s for %s: %s", subject, d.Problem, d.Age.Round(time.Millisecond), d.Mirror)
	case d.Field != "":
		return fmt.Sprintf("%s: %s: engine has %q, mirror has %q", subject, d.Field, d.Engine, d.Mirror)
	case d.Engine != "" || d.Mirror != "":
		return fmt.Sprintf("%s: %s: engine has %q, mirror has %q", subject, d.Problem, d.Engine, d.Mirror)
	default:
		return fmt.Sprintf("%s: %s", subject, d.Problem)
	}
}
