package completion

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Directive says what the shell does with candidates. The numbers are those of cobra.
type Directive int

// The directives.
const (
	// Files lets the shell complete names of files if there is no candidate.
	Files Directive = 0
	// NoSpace adds no space after a candidate.
	NoSpace Directive = 2
	// NoFiles completes no names of files.
	NoFiles Directive = 4
)

// Candidates are the completions of a word.
type Candidates struct {
	Values    []string
	Directive Directive
	// describe returns the description of a value, or an empty text; nil for none.
	describe func(value string) string
}

// Write writes the candidates in cobra's protocol.
func (c Candidates) Write(out io.Writer) error {
	var text strings.Builder
	for _, value := range c.Values {
		// A value or a description of several lines would be read as several candidates.
		if strings.ContainsAny(value, "\t\n") {
			continue
		}
		text.WriteString(value)
		if c.describe != nil {
			if description := strings.Join(strings.Fields(c.describe(value)), " "); description != "" {
				text.WriteString("\t" + description)
			}
		}
		text.WriteByte('\n')
	}
	fmt.Fprintf(&text, ":%d\n", c.Directive)
	_, err := io.WriteString(out, text.String())
	return err
}

// matching returns the values that begin with prefix, sorted, each once.
func matching(values []string, prefix string) []string {
	found := slices.DeleteFunc(slices.Clone(values), func(value string) bool { return !strings.HasPrefix(value, prefix) })
	slices.Sort(found)
	return slices.Compact(found)
}
