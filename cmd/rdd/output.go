package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
)

// output has the flag that selects the output format. A command with more formats has a
// flag of its own, and uses output for these.
type output struct {
	Output string `short:"o" enum:"table,json,yaml" default:"table" placeholder:"FORMAT" help:"Output format: table (text for people), json or yaml."`
}

// structured reports whether the output is for programs.
func (o output) structured() bool { return o.Output == "json" || o.Output == "yaml" }

// show prints value in the format for programs, or calls text for people. Commands in
// texts of value are for the instance.
func (s *session) show(o output, value any, text func() error) error {
	switch o.Output {
	case "json":
		return s.printJSON(value)
	case "yaml":
		return s.printYAML(value)
	default:
		return text()
	}
}

// printJSON prints value as indented JSON.
func (s *session) printJSON(value any) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	if err == nil {
		_, err = io.WriteString(s.out, s.typeable(text.String()))
	}
	if err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// printYAML prints value as a YAML document with the fields of the JSON.
func (s *session) printYAML(value any) error {
	text, err := json.Marshal(value)
	if err == nil {
		// Commands are completed before YAML folds long lines.
		text, err = yaml.JSONToYAML([]byte(s.typeable(string(text))))
	}
	if err == nil {
		_, err = s.out.Write(text)
	}
	if err != nil {
		return fmt.Errorf("print YAML: %w", err)
	}
	return nil
}

// say returns a function that prints a line for people.
func (s *session) say(format string, arguments ...any) func() error {
	return func() error {
		_, err := fmt.Fprintln(s.out, s.typeable(fmt.Sprintf(format, arguments...)))
		return err
	}
}

// note prints a line that a user should know, besides the result.
func (s *session) note(out io.Writer, text string) {
	printWrapped(out, "note: "+s.typeable(text))
}

// noteError prints an error that does not fail the command, unless it is nil.
func (s *session) noteError(err error) {
	if err != nil {
		s.note(s.err, err.Error())
	}
}

// printWrapped prints a text for people. On a terminal it wraps the text.
func printWrapped(out io.Writer, text string) {
	if columns, _, isTerminal := terminal.Size(out); isTerminal {
		text = strings.Join(terminal.Wrap(text, columns-1), "\n")
	}
	fmt.Fprintln(out, text)
}

// rowGap separates the names from the values of a table.
const rowGap = 2

// table prints names and values, and leaves out rows without a value. On a terminal it
// wraps long values. Further lines of a value are below its first one.
func (s *session) table(rows [][2]string) error {
	columns := 0 // of a value; 0 does not wrap
	names := 0
	for _, row := range rows {
		if row[1] != "" {
			names = max(names, terminal.Width(row[0])+len(":")+rowGap)
		}
	}
	if width, _, ok := terminal.Size(s.out); ok {
		columns = max(minValue, width-1-names)
	}
	var text strings.Builder
	for _, row := range rows {
		if row[1] == "" {
			continue
		}
		name := row[0] + ":"
		for _, line := range valueLines(s.typeable(row[1]), columns) {
			indent := strings.Repeat(" ", names-terminal.Width(name))
			text.WriteString(strings.TrimRight(name+indent+line, " ") + "\n")
			name = ""
		}
	}
	_, err := io.WriteString(s.out, text.String())
	return err
}

// minValue is the least number of columns of a value.
const minValue = 20

// valueLines returns the lines of a value, at most columns wide unless columns is 0.
func valueLines(text string, columns int) []string {
	text = strings.TrimRight(text, "\n")
	if columns > 0 {
		return terminal.Wrap(text, columns)
	}
	return strings.Split(text, "\n")
}
