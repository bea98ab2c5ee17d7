package property

import (
	"slices"
	"strings"
)

// Near lists the properties with a name similar to name, the most similar first.
func (s Set) Near(name string) []string {
	type candidate struct {
		name     string
		distance int
	}
	wanted := strings.ToLower(strings.TrimPrefix(name, "spec."))
	var found []candidate
	for _, p := range s {
		have := strings.ToLower(p.Name)
		d := min(distance(wanted, have), distance(wanted, have[strings.LastIndexByte(have, '.')+1:]))
		if d <= max(1, len(wanted)/4) || strings.HasPrefix(have, wanted+".") {
			found = append(found, candidate{p.Name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, c := range found {
		names = append(names, c.name)
	}
	return names
}

// distance returns the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
