package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

func TestPrintersInsertInstance(t *testing.T) {
	t.Setenv(instance.EnvName, "")
	for format, want := range map[string]string{
		"json":  "{\n  \"hint\": \"run 'rdd --instance work svc start' \\u003cnow\\u003e\"\n}\n",
		"yaml":  "hint: run 'rdd --instance work svc start' <now>\n",
		"table": "run 'rdd --instance work stop'\n",
	} {
		var out strings.Builder
		s := &session{out: &out, instance: instance.Instance{Name: "work"}}
		value := map[string]string{"hint": "run 'rdd svc start' <now>"}
		if err := s.show(output{format}, value, s.say("run 'rdd %s'", "stop")); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%s: printed %q, want %q", format, out.String(), want)
		}
	}
}

func TestTableAlignsLines(t *testing.T) {
	var out strings.Builder
	s := &session{out: &out}
	if err := s.table([][2]string{{"a", "1"}, {"empty", ""}, {"long", "one\n  two\n"}, {"日本", "x"}}); err != nil {
		t.Fatal(err)
	}
	if want := "a:     1\nlong:  one\n         two\n日本:  x\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestValueLinesWrap(t *testing.T) {
	if got, want := valueLines("one two three\n  four\n", 8), []string{"one two", "three", "  four"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Commands that show or change something have -o json and -o yaml.
func TestCommandsHaveOutputFlag(t *testing.T) {
	parser, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	formats := map[string]string{}
	for _, leaf := range parser.Model.Leaves(false) {
		for _, group := range leaf.AllFlags(false) {
			for _, flag := range group {
				if flag.Name == "output" {
					formats[strings.TrimPrefix(commandPath(leaf), "rdd ")] = flag.Enum
				}
			}
		}
	}
	for _, command := range []string{
		"set", "start", "stop", "status", "top", "pull", "push", "prune", "tree", "doctor", "support-bundle", "version",
		"vm status", "vm restart", "vm reset",
		"svc create", "svc start", "svc stop", "svc restart", "svc status", "svc config", "svc paths",
	} {
		if !strings.Contains(formats[command], "json,yaml") {
			t.Errorf("rdd %s: formats %q", command, formats[command])
		}
	}
}
