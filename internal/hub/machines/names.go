package machines

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"
)

// maxUser is the maximum length of a user name, as in the definition of Machines.
const maxUser = 253

// NameError reports a name that is not valid.
type NameError struct{ message string }

func (e *NameError) Error() string { return e.message }

// CheckName returns a *NameError if a machine cannot have this name, which is also the name
// of its namespace.
func CheckName(name string) error {
	if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
		return &NameError{fmt.Sprintf("%q cannot be the name of a machine, because it is also the name of a namespace: use at most 63 lower-case letters, digits and '-', with a letter or a digit at both ends", name)}
	}
	return nil
}

// CheckUser returns a *NameError if a Kubernetes user cannot have this name.
func CheckUser(name string) error {
	var problem string
	switch {
	case name == "":
		problem = "it is empty"
	case len(name) > maxUser:
		problem = fmt.Sprintf("it has more than %d characters", maxUser)
	case strings.ContainsFunc(name, unicode.IsControl):
		problem = "it has a control character"
	case strings.TrimSpace(name) != name:
		problem = "it begins or ends with a space"
	default:
		return nil
	}
	return &NameError{fmt.Sprintf("%q cannot be the name of a user, because %s: use the name by which the API server knows the user, such as the common name of a certificate", name, problem)}
}

// errGoing is the reason why a machine cannot be added at the moment.
var errGoing = errors.New("its namespace is being deleted: wait until it is gone, or finish the removal with 'rdd hub remove'")
