package process

import "slices"

// The process that starts another one chooses its arguments and its name, so that they
// prove nothing. Owner, Mine and Executable report facts of the kernel.

// Descendants returns the processes among all that descend from one of roots, without
// the roots themselves. all is a result of All.
//
// A process that started before its parent is not among them: its real parent has
// ended, and another process has the parent's pid now.
func Descendants(roots, all []Process) []Process {
	family := slices.Clone(roots)
	for i := 0; i < len(family); i++ {
		for _, p := range all {
			if p.Parent == family[i].PID && p.Start >= family[i].Start && !slices.ContainsFunc(family, p.is) {
				family = append(family, p)
			}
		}
	}
	return family[len(roots):]
}

// is reports whether both are the same process.
func (p Process) is(other Process) bool { return p.PID == other.PID && p.Start == other.Start }
