package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// readBudget returns the number of occurrences that are allowed for each rule,
// by its name. A rule that is missing allows none.
func readBudget(file string) (map[string]int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the budget: %w", err)
	}
	allowed := map[string]int{}
	for line := range strings.Lines(string(text)) {
		count, name, found := strings.Cut(strings.TrimSpace(line), " ")
		number, err := strconv.Atoi(count)
		if err != nil || !found {
			return nil, fmt.Errorf("read the budget %s: %q is not a count and a name", file, line)
		}
		allowed[name] = number
	}
	return allowed, nil
}

// writeBudget writes a budget for each rule that allows an occurrence.
func writeBudget(file string, allowed map[string]int) error {
	var text strings.Builder
	for _, r := range rules() {
		if count := allowed[r.name]; count > 0 {
			fmt.Fprintf(&text, "%d %s\n", count, r.name)
		}
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write the budget: %w", err)
	}
	return nil
}
