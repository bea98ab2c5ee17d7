package main

import (
	"maps"
	"slices"
)

// blocks are the covered blocks of statements, by their place.
type blocks map[string]struct{}

// candidate is an input that a target may keep.
type candidate struct {
	name    string
	size    int
	covered blocks
}

// choose returns the names of at most most candidates. Each covers something that neither
// base nor the candidates before it cover, the largest addition first. Of equal additions
// the smaller input is taken.
func choose(candidates []candidate, base blocks, most int) []string {
	covered := maps.Clone(base)
	if covered == nil {
		covered = blocks{}
	}
	left := slices.Clone(candidates)
	var names []string
	for len(names) < most {
		best, added := -1, 0
		for i, c := range left {
			n := countNew(c.covered, covered)
			if n > added || n == added && best >= 0 && c.size < left[best].size {
				best, added = i, n
			}
		}
		if best < 0 {
			break
		}
		names = append(names, left[best].name)
		maps.Copy(covered, left[best].covered)
		left = slices.Delete(left, best, best+1)
	}
	return names
}

func countNew(of, covered blocks) int {
	n := 0
	for block := range of {
		if _, ok := covered[block]; !ok {
			n++
		}
	}
	return n
}
