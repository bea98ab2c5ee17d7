package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

func TestForeignCommandNamesOwn(t *testing.T) {
	instancetest.Home(t)
	t.Setenv(instance.EnvName, "")
	for args, want := range map[string]string{
		"ps":                           "'rdd ctl get containers'",
		"ps -a":                        "'rdd ctl get containers'",
		"--instance work ps":           "'rdd --instance work ctl get containers'",
		"--instance=work images":       "'rdd --instance work ctl get images'",
		"rm web":                       "'rdd ctl delete container NAME'",
		"delete":                       "'rdd svc delete'",
		"inspect web":                  "'rdd ctl describe container NAME'",
		"up":                           "'rdd start'",
		"down":                         "'rdd stop'",
		"logs":                         "Run \"rdd logs --help\"",
		"exec":                         "Run \"rdd exec --help\"",
		"frobnicate":                   "Run \"rdd --help\"",
		"svc ps":                       "Run \"rdd svc --help\"",
		"help svc begin":               "svc --help",
		"status --short --output=json": "--short",
	} {
		code, out, errOut := rdd(t, strings.Fields(args)...)
		if code != exitUsage || out != "" || !strings.Contains(errOut, want) {
			t.Errorf("rdd %s: %d, %q%q, want %q", args, code, out, errOut, want)
		}
	}
}

// A hint is for a command that rdd does not have, and names commands that it has.
func TestHintsAreForUnknownCommands(t *testing.T) {
	parser, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]*kong.Node{}
	for _, command := range parser.Model.Children {
		for _, name := range append(command.Aliases, command.Name) {
			known[name] = command
		}
	}
	for word, hint := range hints() {
		if known[word] != nil {
			t.Errorf("%s is a command", word)
		}
		for _, quoted := range quotedCommand.FindAllStringIndex(hint, -1) {
			command, _, _ := strings.Cut(hint[quoted[1]-1:], "'")
			if known[strings.Fields(command)[0]] == nil {
				t.Errorf("%s: rdd has no command %s", word, command)
			}
		}
	}
}

func TestHelpCommandEqualsFlag(t *testing.T) {
	instancetest.Home(t)
	for _, args := range []string{"", "svc", "svc start", "set", "help"} {
		code, out, errOut := rdd(t, strings.Fields("help "+args)...)
		_, want, _ := rdd(t, strings.Fields(args+" --help")...)
		if code != exitDone || out != want || out == "" || errOut != "" {
			t.Errorf("rdd help %s: %d, %q%q, want %q", args, code, out, errOut, want)
		}
	}
	code, out, _ := rdd(t, "--version")
	if _, want, _ := rdd(t, "version"); code != exitDone || !strings.HasPrefix(want, strings.TrimSuffix(out, "\n")+" ") {
		t.Errorf("rdd --version: %d, %q, want the begin of %q", code, out, want)
	}
}
