package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestConfirmationGiven(t *testing.T) {
	for _, test := range []struct {
		yes   bool
		env   string
		want  bool
		fails bool
	}{
		{false, "", false, false},
		{true, "", true, false},
		{true, "0", true, false},
		{false, "1", true, false},
		{false, "TRUE", true, false},
		{false, "yes", true, false},
		{false, "0", false, false},
		{false, "no", false, false},
		{false, "perhaps", false, true},
	} {
		t.Setenv(envYes, test.env)
		got, err := confirmation{Yes: test.yes}.given()
		if got != test.want || (err != nil) != test.fails || test.fails && exitCode(err) != exitUsage {
			t.Errorf("--yes=%v %s=%q: %v, %v", test.yes, envYes, test.env, got, err)
		}
	}
}

// dataOf gives an instance the data of a stopped engine.
func dataOf(t *testing.T, i instance.Instance) {
	t.Helper()
	engine := filepath.Join(i.DataDir, "engine", "docker")
	testkit.WriteFile(t, filepath.Join(engine, "containers", "c1", "config.v2.json"), `{"Name":"/web"}`)
	testkit.WriteFile(t, filepath.Join(engine, "volumes", "My_Data", "_data", "file"), "x")
}

func TestUnconfirmedCommandChangesNothing(t *testing.T) {
	i := instancetest.Create(t, "2")
	t.Setenv(envYes, "")
	dataOf(t, i)
	if err := os.MkdirAll(filepath.Join(i.LimaHome, "rdd"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := tree(t, i.Dir)
	for args, want := range map[string]string{
		"svc delete": `1 stopped container: web; 1 volume: My_Data; `,
		"svc reset":  `1 stopped container: web; 1 volume: My_Data; `,
		"vm reset":   "on the disk",
		"prune":      "'rdd prune --dry-run'",
	} {
		code, out, errOut := rdd(t, strings.Fields(args)...)
		if code != exitUsage || out != "" || !strings.Contains(errOut, want) ||
			!strings.HasSuffix(errOut, ": nothing was changed: to confirm, type 'rdd "+args+" --yes', or set RDD_YES=1 in the environment\n") {
			t.Errorf("%s: %d\n%s%s", args, code, out, errOut)
		}
	}
	if after := tree(t, i.Dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// tree lists the files below dir.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		all.WriteString(path + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestConfirmedByEnvironment(t *testing.T) {
	i := instancetest.Create(t, "2")
	dataOf(t, i)
	t.Setenv(envYes, "1")
	if code, out, errOut := rdd(t, "svc", "reset"); code != exitDone || !strings.Contains(out, "was reset") {
		t.Errorf("%d, %s%s", code, out, errOut)
	}
	t.Setenv(envYes, "")
	if code, out, errOut := rdd(t, "svc", "delete", "-y"); code != exitDone || !strings.Contains(out, "was deleted") || i.HasFiles() {
		t.Errorf("%d, %s%s", code, out, errOut)
	}
}

// blocked is an input on which nothing is typed.
type blocked struct{}

func (blocked) Read([]byte) (int, error) { select {} }

func TestQuestionEndsWithSignal(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	s := &session{ctx: ctx, in: blocked{}, out: &strings.Builder{}, err: &strings.Builder{}}
	if err := s.ask(loss{what: "this deletes"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestQuestionReadsAnswer(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, " YES \n": true, "y": true, "n\n": false, "\n": false, "": false, "yep\n": false} {
		var shown strings.Builder
		s := &session{ctx: t.Context(), in: strings.NewReader(answer), err: &shown, instance: instance.Instance{Name: "2"}}
		if err := s.ask(loss{what: "this deletes it, and", parts: []string{"1 volume: a", "2 images"}}); (err == nil) != want {
			t.Errorf("%q: %v", answer, err)
		}
		if got := shown.String(); got != "This deletes it, and:\n  1 volume: a\n  2 images\nContinue? [y/N] " {
			t.Errorf("%q", got)
		}
	}
}
