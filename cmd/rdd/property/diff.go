package property

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Change is one property whose value differs.
type Change struct {
	Name   string `json:"name"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

func (c Change) String() string {
	return fmt.Sprintf("%s: %s → %s", c.Name, shown(c.Before), shown(c.After))
}

// Diff lists the differences between two specs, sorted by name. The specs can be any
// values that encode to JSON objects.
func Diff(before, after any) ([]Change, error) {
	old, err := flatten(before)
	if err != nil {
		return nil, err
	}
	now, err := flatten(after)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for name, value := range now {
		if was := old[name]; shown(was) != shown(value) {
			changes = append(changes, Change{name, was, value})
		}
	}
	for name, was := range old {
		if _, there := now[name]; !there {
			changes = append(changes, Change{name, was, nil})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return changes, nil
}

func flatten(object any) (map[string]any, error) {
	encoded, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("encode the spec: %w", err)
	}
	var tree map[string]any
	if err := json.Unmarshal(encoded, &tree); err != nil {
		return nil, fmt.Errorf("decode the spec: %w", err)
	}
	flat := map[string]any{}
	var walk func(prefix string, object map[string]any)
	walk = func(prefix string, object map[string]any) {
		for name, value := range object {
			if inner, ok := value.(map[string]any); ok {
				walk(prefix+name+".", inner)
				continue
			}
			flat[prefix+name] = value
		}
	}
	walk("", tree)
	return flat, nil
}

// shown returns a value as a user types it, or "(not set)".
func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return "(not set)"
	case string:
		if v == "" {
			return `""`
		}
		return v
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(encoded)
	}
}
