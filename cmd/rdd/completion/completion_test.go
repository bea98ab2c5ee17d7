package completion

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type tool struct {
	Instance string `predictor:"instance" help:"Instance to use. It has a default."`

	Show struct {
		Output string   `short:"o" enum:"json,yaml" default:"json" help:"Format."`
		Names  []string `arg:"" optional:"" predictor:"container"`
		All    bool     `short:"a"`
		Wide   bool     `short:"w"`
	} `cmd:"" aliases:"display" help:"Show a container."`
	Set struct {
		Values []string `arg:"" predictor:"assignment"`
	} `cmd:"" help:"Set a property."`
	Save struct {
		File string `arg:"" predictor:"file"`
	} `cmd:"" help:"Save a file."`
	Hidden struct{} `cmd:"" hidden:""`
}

func completer(t *testing.T) Completer {
	t.Helper()
	parser, err := kong.New(&tool{}, kong.Name("tool"))
	if err != nil {
		t.Fatal(err)
	}
	list := func(directive Directive, values ...string) Predictor {
		return func(string) ([]string, Directive) { return values, directive }
	}
	return Completer{
		Parser: parser,
		Predictors: map[string]Predictor{
			"instance": list(NoFiles, "2", "work"), "container": list(NoFiles, "web", "worker"),
			"assignment": list(NoSpace|NoFiles, "running=", "vm.driver="), "file": list(Files),
		},
		Describe: func(value string) string {
			if value == "running=" {
				return "Whether it runs. More."
			}
			return ""
		},
	}
}

func TestComplete(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"", "save\tSave a file\nset\tSet a property\nshow\tShow a container\n:4\n"},
		{"s", "save\tSave a file\nset\tSet a property\nshow\tShow a container\n:4\n"},
		{"se", "set\tSet a property\n:4\n"},
		{"show ", "web\nworker\n:4\n"},
		{"show wo", "worker\n:4\n"},
		{"show web wo", "worker\n:4\n"},
		{"show -aw wo", "worker\n:4\n"},
		{"show --all wo", "worker\n:4\n"},
		{"display wo", "worker\n:4\n"},
		{"show --out", "--output\tFormat\n:4\n"},
		{"show --output ", "json\nyaml\n:4\n"},
		{"show -o y", "yaml\n:4\n"},
		{"show --output=y", "yaml\n:4\n"},
		{"--instance w", "work\n:4\n"},
		{"--instance=w", "work\n:4\n"},
		{"--inst", "--instance\tInstance to use\n:4\n"},
		{"--instance work show we", "web\n:4\n"},
		{"show --instance work we", "web\n:4\n"},
		{"show --instance w", "work\n:4\n"},
		{"set r", "running=\tWhether it runs\n:6\n"},
		{"save x", ":0\n"},
		{"nonsense x", ":4\n"},
	} {
		found, err := completer(t).Complete(Split(strings.Split(test.line, " ")))
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := found.Write(&out); err != nil || out.String() != test.want {
			t.Errorf("%q: %q, %v, want %q", test.line, out.String(), err, test.want)
		}
	}
}

func TestWriteOmitsValuesOfSeveralLines(t *testing.T) {
	var out strings.Builder
	if err := (Candidates{Values: []string{"a\nb", "c"}, Directive: NoFiles}).Write(&out); err != nil || out.String() != "c\n:4\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestLineInstance(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "--instance work": "", "--instance work ": "work", "--instance=work show ": "work", "show --instance work x": "work",
	} {
		if got := Split(strings.Split(line, " ")).Instance(); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestCtl(t *testing.T) {
	for line, want := range map[string][]string{
		"ctl ": {""}, "ctl get po": {"get", "po"}, "--instance x ctl get ": {"get", ""}, "--instance=x ctl get ": {"get", ""},
		"ctl": nil, "": nil, "logs ctl x": nil, "--instance ctl": nil, "--instance ctl x": nil,
	} {
		args, is := Ctl(strings.Split(line, " "))
		if is != (want != nil) || is && !slices.Equal(args, want) {
			t.Errorf("%q: %q, %t, want %q", line, args, is, want)
		}
	}
}

func TestScriptsHaveNoSyntaxError(t *testing.T) {
	for _, shell := range Shells() {
		var script strings.Builder
		if err := WriteScript(&script, shell, "rdd"); err != nil {
			t.Fatal(err)
		}
		program, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		check := exec.CommandContext(t.Context(), program, "-n")
		check.Stdin = strings.NewReader(script.String())
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
	if err := WriteScript(&strings.Builder{}, "tcsh", "rdd"); err == nil {
		t.Error("there is a script for tcsh")
	}
}
