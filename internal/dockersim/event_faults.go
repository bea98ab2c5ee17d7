package dockersim

import (
	"slices"
	"strings"
)

// eventRule decides how often an event of a pattern is sent.
type eventRule struct {
	pattern string
	left    int
	copies  int
}

// DropEvents drops the next events of a pattern: they are neither sent nor
// remembered. The pattern is type/action, such as container/die, where either
// part can be *.
func (e *Engine) DropEvents(pattern string, times int) { e.faults.rule(pattern, times, 0) }

// DuplicateEvents sends the next events of a pattern twice.
func (e *Engine) DuplicateEvents(pattern string, times int) { e.faults.rule(pattern, times, 2) }

func (f *faults) rule(pattern string, times, copies int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.eventRules = append(f.eventRules, &eventRule{pattern: pattern, left: times, copies: copies})
}

// copies returns how often an event is sent.
func (f *faults) copies(eventType, action string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, rule := range f.eventRules {
		wantType, wantAction, _ := strings.Cut(rule.pattern, "/")
		if (wantType != "*" && wantType != eventType) || (wantAction != "*" && wantAction != action) {
			continue
		}
		if rule.left--; rule.left <= 0 {
			f.eventRules = slices.Delete(f.eventRules, i, i+1)
		}
		return rule.copies
	}
	return 1
}
