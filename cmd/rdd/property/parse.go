package property

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// UsageError reports an assignment that is wrong.
type UsageError struct {
	Message string
}

func (e *UsageError) Error() string { return e.Message }

func usagef(format string, args ...any) error {
	return &UsageError{Message: fmt.Sprintf(format, args...)}
}

// Patch returns a JSON merge patch of the App for assignments such as
// vm.driver=native. Its errors are *UsageError.
func (s Set) Patch(assignments []string) ([]byte, error) {
	spec := map[string]any{}
	seen := map[string]bool{}
	for _, assignment := range assignments {
		name, value, found := strings.Cut(assignment, "=")
		if !found {
			return nil, usagef("%q is not an assignment: use PROPERTY=VALUE, such as running=true", assignment)
		}
		p, key, err := s.lookup(name)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, usagef("%s is set twice", name)
		}
		seen[name] = true
		typed, err := p.parse(value, key)
		if err != nil {
			return nil, err
		}
		path := strings.Split(p.Name, ".")
		if key != "" {
			path = append(path, key)
		}
		put(spec, path, typed)
	}
	return json.Marshal(map[string]any{"spec": spec})
}

// lookup returns the property with this name, or a map and a key of it.
func (s Set) lookup(name string) (p Property, key string, err error) {
	if p, found := s.Find(name); found {
		return p, "", nil
	}
	for _, p := range s {
		if key, found := strings.CutPrefix(name, p.Name+"."); found && p.Type == "map" && key != "" {
			return p, key, nil
		}
	}
	if near := s.Near(name); len(near) > 0 {
		return p, "", usagef("unknown property %q: did you mean %s? The properties are: %s",
			name, strings.Join(near, " or "), strings.Join(s.Names(), ", "))
	}
	return p, "", usagef("unknown property %q: the properties are: %s", name, strings.Join(s.Names(), ", "))
}

func put(object map[string]any, path []string, value any) {
	for _, element := range path[:len(path)-1] {
		inner, ok := object[element].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[element] = inner
		}
		object = inner
	}
	object[path[len(path)-1]] = value
}

// parse converts value to the property's type. key is the one of an entry of a map. An
// empty value means the default.
func (p Property) parse(value, key string) (any, error) {
	if key != "" {
		return p.parseEntry(value), nil
	}
	// A merge patch removes a null field, and the API server sets the default.
	if value == "" && (p.Default != "" || p.Type != "string" || len(p.Enum) > 0) {
		return nil, nil
	}
	if len(p.Enum) > 0 && !slices.Contains(p.Enum, value) {
		return nil, usagef("%s=%s: use one of %s", p.Name, value, strings.Join(p.Enum, ", "))
	}
	switch p.Type {
	case "boolean":
		switch value {
		case "true", "false":
			return value == "true", nil
		}
		return nil, usagef("%s=%s: use true or false", p.Name, value)
	case "integer":
		number, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, usagef("%s=%s: use a whole number%s", p.Name, value, p.bounds())
		}
		return number, p.checkBounds(value, float64(number))
	case "number":
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, usagef("%s=%s: use a number%s", p.Name, value, p.bounds())
		}
		return number, p.checkBounds(value, number)
	case "integer or string":
		if number, err := strconv.ParseInt(value, 10, 64); err == nil {
			return number, nil
		}
		return value, nil
	case "quantity":
		return p.parseQuantity(value)
	case "array":
		if words := p.words(value); words != nil {
			return words, nil
		}
		return p.parseJSON(value, new([]any), `a list, such as a,b or ["a","b"]`)
	case "map":
		return p.parseJSON(value, new(map[string]any), `a JSON object, such as {"a":"b"}`)
	default:
		return value, nil
	}
}

// parseEntry converts the value of an entry of a map. In a map of any values it is JSON,
// or else a string, and an empty value removes the entry.
func (p Property) parseEntry(value string) any {
	if p.schema.XPreserveUnknownFields == nil || !*p.schema.XPreserveUnknownFields {
		return value
	}
	if value == "" {
		return nil
	}
	var typed any
	if json.Unmarshal([]byte(value), &typed) != nil {
		return value
	}
	return json.RawMessage(value)
}

// words returns the elements of a list of strings that is written with commas, or nil if
// value is written otherwise.
func (p Property) words(value string) []string {
	items := p.schema.Items
	if items == nil || items.Schema == nil || items.Schema.Type != "string" || strings.HasPrefix(strings.TrimSpace(value), "[") {
		return nil
	}
	return strings.Split(value, ",")
}

func (p Property) parseJSON(value string, into any, what string) (any, error) {
	if err := json.Unmarshal([]byte(value), into); err != nil {
		return nil, usagef("%s=%s: use %s", p.Name, value, what)
	}
	return into, nil
}

func (p Property) checkBounds(value string, number float64) error {
	low, high := p.schema.Minimum, p.schema.Maximum
	if (low != nil && number < *low) || (high != nil && number > *high) {
		return usagef("%s=%s: use a number%s", p.Name, value, p.bounds())
	}
	return nil
}

func (p Property) bounds() string {
	var out string
	if p.schema.Minimum != nil {
		out += fmt.Sprintf(", at least %v", *p.schema.Minimum)
	}
	if p.schema.Maximum != nil {
		out += fmt.Sprintf(", at most %v", *p.schema.Maximum)
	}
	return out
}
