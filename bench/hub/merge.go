package main

import "github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"

// merge replaces figures and curves of an earlier run by those of a later one, which
// measured fewer parts.
func merge(earlier, later *figures.Run) *figures.Run {
	for _, old := range earlier.Figures {
		if !hasFigure(later, old.Name) {
			later.Figures = append(later.Figures, old)
		}
	}
	for _, old := range earlier.Curves {
		if !hasCurve(later, old.Name) {
			later.Curves = append(later.Curves, old)
		}
	}
	return later
}

func hasFigure(run *figures.Run, name string) bool {
	for _, f := range run.Figures {
		if f.Name == name {
			return true
		}
	}
	return false
}

func hasCurve(run *figures.Run, name string) bool {
	for _, c := range run.Curves {
		if c.Name == name {
			return true
		}
	}
	return false
}
