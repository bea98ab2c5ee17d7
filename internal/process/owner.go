package process

import "slices"

// What a process says of itself, its arguments and its name, is chosen by whoever
// started it. Owner, Mine and Executable are what the kernel says of it.

// Descendants returns the processes among all that descend from one of roots,
// without the roots. all is a result of All.
//
// A process that began before its parent did is none of them: its real parent is
// gone, and the parent's pid belongs to another process by now.
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
