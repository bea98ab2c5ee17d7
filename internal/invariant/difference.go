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
	// Ghost: there is a mirror of what the engine does not have.
	Ghost Problem = "ghost mirror"
	// Differs: a field is not as the engine has it.
	Differs Problem = "field differs"
	// NoFinalizer: rdd's finalizer is not there, or is where none belongs.
	NoFinalizer Problem = "wrong finalizer"
	// WrongName: the mirror's name does not follow from its status.
	WrongName Problem = "wrong name"
	// Duplicate: another mirror stands for the same object.
	Duplicate Problem = "duplicate mirror"
	// Ahead: a status says that it has seen a generation that was never there.
	Ahead Problem = "observedGeneration beyond generation"
	// StaleRefusal: a condition tells of a refusal of what is not wished any more.
	StaleRefusal Problem = "refusal without a wish"
	// Unread: the engine lists an object and does not tell of it.
	Unread Problem = "unreadable object"
	// WaitingWish: a wish was neither carried out nor visibly refused yet.
	WaitingWish Problem = "wish not carried out"
	// WaitingDelete: a delete was neither carried out nor visibly refused yet.
	WaitingDelete Problem = "delete not carried out"
)

// Difference is one way in which mirrors and engine are not the same.
type Difference struct {
	Problem Problem           `json:"problem"`
	Kind    containersv1.Kind `json:"kind"`
	// Name of the resource: the one that is there, or that should be.
	Name string `json:"name"`
	// Object is the engine's own name for the object, as a person would say it.
	Object string `json:"object,omitempty"`
	// Field is the path below status of what differs, such as ports[80/tcp].bindings.
	Field string `json:"field,omitempty"`
	// Engine and Mirror are the values on the two sides; empty is absent.
	Engine string `json:"engine,omitempty"`
	Mirror string `json:"mirror,omitempty"`
	// Age is how long a wish or a delete has been waiting, as far as the resource
	// tells; 0 for every other problem.
	Age time.Duration `json:"age,omitempty"`
}

// Pending is whether time alone may mend it: rdd is expected to be at work. A
// caller decides by Age how long that may take.
func (d Difference) Pending() bool { return d.Problem == WaitingWish || d.Problem == WaitingDelete }

// String says the difference in one line.
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
