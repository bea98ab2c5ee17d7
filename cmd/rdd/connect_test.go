package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/dockercontext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// odd has characters that mean something to a shell.
const odd = `a b'c"$d\` + "`e`!*\nf"

// Each shell that is installed sets and unsets the variables as they are.
func TestShellCommandsInShells(t *testing.T) {
	for shell, program := range map[string]string{"bash": "bash", "zsh": "zsh", "fish": "fish", "sh": "sh"} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(program)
			if err != nil {
				t.Skipf("%s is not installed", program)
			}
			text, err := shellCommands(shell, []variable{{"ODD", odd}, {name: "GONE"}})
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path, "-c", text+"env -0")
			cmd.Env = append(os.Environ(), "GONE=1")
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			env := strings.Split(string(out), "\x00")
			if !slices.Contains(env, "ODD="+odd) || slices.Contains(env, "GONE=1") {
				t.Errorf("%s: %q", text, env)
			}
		})
	}
}

func TestShellCommandsText(t *testing.T) {
	variables := []variable{{"A", `it's \`}, {name: "B"}}
	for shell, want := range map[string]string{
		"bash": "export A='it'\\''s \\'\nunset B\n",
		"zsh":  "export A='it'\\''s \\'\nunset B\n",
		"fish": "set -gx A 'it\\'s \\\\'\nset -e B\n",
	} {
		if got, err := shellCommands(shell, variables); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", shell, got, err, want)
		}
	}
	text, err := shellCommands("json", variables)
	var object map[string]*string
	if err != nil || json.Unmarshal([]byte(text), &object) != nil || *object["A"] != `it's \` || object["B"] != nil || len(object) != 2 {
		t.Errorf("%s, %v", text, err)
	}
}

func TestShellOf(t *testing.T) {
	for path, want := range map[string]string{"/usr/bin/fish": "fish", "/bin/zsh": "zsh", "/bin/bash": "bash", "/bin/dash": "bash", "": "bash"} {
		if got := shellOf(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestEnvWorksWithoutDaemon(t *testing.T) {
	home := instancetest.Home(t)
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	code, out, errOut := rdd(t, "--instance", "x", "env", "--shell", "bash")
	want := fmt.Sprintf("export DOCKER_HOST='unix://%[1]s/.rdx/docker.sock'\nunset DOCKER_TLS_VERIFY\nexport KUBECONFIG='%[1]s/.local/share/rancher-desktop-x/config.yaml'\n", home)
	if code != 0 || out != want || !strings.Contains(errOut, "'rdd --instance x start'") {
		t.Errorf("%d, %s, %s, want %s", code, out, errOut, want)
	}
	if code, out, _ := rdd(t, "env", "-u", "--shell=zsh"); code != 0 || out != "unset DOCKER_HOST\nunset KUBECONFIG\n" {
		t.Errorf("%d, %s", code, out)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("files were created: %v, %v", left, err)
	}
}

func TestDockerHost(t *testing.T) {
	inst := instance.Instance{DockerSocket: "/s/docker.sock"}
	for name, c := range map[string]struct {
		engine appv1.EngineName
		spec   appv1.VM
		status appv1.VMStatus
		want   string
		err    string
	}{
		"Native":             {spec: appv1.VM{Driver: "native"}, status: appv1.VMStatus{Driver: "native", Endpoint: "unix:///s/docker.sock"}, want: "unix:///s/docker.sock"},
		"AutoNotYetSelected": {spec: appv1.VM{Driver: "auto"}, want: "unix:///s/docker.sock"},
		"AutoExternal":       {spec: appv1.VM{Driver: "auto"}, status: appv1.VMStatus{Driver: "external", Endpoint: "tcp://a:1"}, want: "tcp://a:1"},
		"External":           {spec: appv1.VM{Driver: "external"}, status: appv1.VMStatus{Driver: "external", Endpoint: "http://a:1"}, want: "tcp://a:1"},
		"ExternalEndpoint":   {spec: appv1.VM{Driver: "external", Endpoint: "unix:///e"}, status: appv1.VMStatus{Driver: "native", Endpoint: "unix:///s/docker.sock"}, want: "unix:///e"},
		"ExternalUnknown":    {spec: appv1.VM{Driver: "external"}, status: appv1.VMStatus{Driver: "native", Endpoint: "unix:///s/docker.sock"}, err: "not known"},
		"NoLongerExternal":   {spec: appv1.VM{Driver: "native"}, status: appv1.VMStatus{Driver: "external", Endpoint: "tcp://a:1"}, want: "unix:///s/docker.sock"},
		"Containerd":         {engine: "containerd", spec: appv1.VM{Driver: "native"}, err: "containerd"},
	} {
		app := &appv1.App{Spec: appv1.AppSpec{ContainerEngine: appv1.ContainerEngine{Name: c.engine}, VM: c.spec}, Status: appv1.AppStatus{VM: c.status}}
		got, err := dockerHost(app, inst)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestContextNote(t *testing.T) {
	const host = "unix:///s"
	for name, c := range map[string]struct {
		result dockercontext.Result
		env    string // DOCKER_HOST
		want   string
	}{
		"Nothing":      {dockercontext.Result{Name: "rdd", Current: "rdd"}, "", ""},
		"Silent":       {dockercontext.Result{Name: "rdd", Written: true, Current: "rdd", Replaced: "default"}, "", `"rdd", because the engine of "default" does not answer`},
		"Missing":      {dockercontext.Result{Name: "rdd", Current: "rdd", Replaced: "old", IsReplacedMissing: true}, "", `because "old" does not exist`},
		"OtherAnswers": {dockercontext.Result{Name: "rdd", Written: true, Current: "default", CurrentHost: "unix:///d"}, "", "'docker --context rdd' for this one, or 'rdd context use'"},
		"SameEngine":   {dockercontext.Result{Name: "rdd", Written: true, Current: "default", CurrentHost: host}, "", ""},
		"SaidBefore":   {dockercontext.Result{Name: "rdd", Current: "default", CurrentHost: "unix:///d"}, "", ""},
		"OwnHost":      {dockercontext.Result{Name: "rdd", Written: true, Current: "default", CurrentHost: "unix:///d"}, host, ""},
		"OtherHost":    {dockercontext.Result{Name: "rdd", Written: true, Current: "default", CurrentHost: host}, "tcp://a:1", "DOCKER_HOST=tcp://a:1"},
	} {
		note := contextNote(c.result, host, func(name string) string {
			if name == dockerHostVariable {
				return c.env
			}
			return ""
		})
		if (note == "") != (c.want == "") || !strings.Contains(note, c.want) {
			t.Errorf("%s: %q, want %q", name, note, c.want)
		}
	}
}

func TestAfterFixNamesNextStep(t *testing.T) {
	for name, c := range map[string]struct {
		result dockercontext.Result
		err    error
		want   string
	}{
		"BrokenConfig":  {dockercontext.Result{Name: "rdd", Written: true}, errors.New("config.json is bad"), `; the docker context "rdd" was created, and 'rdd context use' makes it the current one`},
		"StillBroken":   {dockercontext.Result{Name: "rdd"}, errors.New("config.json is bad"), "; then run 'rdd context use'"},
		"ForeignByName": {dockercontext.Result{Name: "rdd"}, &dockercontext.ForeignError{Name: "rdd", Host: "x"}, ""},
	} {
		if got := afterFix(c.result, c.err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestEnvironmentNote(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"None":         {},
		"OwnHost":      {env: map[string]string{"DOCKER_HOST": "unix:////s"}},
		"OwnContext":   {env: map[string]string{"DOCKER_CONTEXT": "rdd"}},
		"OtherHost":    {env: map[string]string{"DOCKER_HOST": "tcp://a:1", "DOCKER_CONTEXT": "rdd"}, want: "DOCKER_HOST=tcp://a:1 takes precedence"},
		"OtherContext": {env: map[string]string{"DOCKER_CONTEXT": "colima"}, want: "DOCKER_CONTEXT=colima takes precedence"},
		"OwnHostWins":  {env: map[string]string{"DOCKER_HOST": "unix:///s", "DOCKER_CONTEXT": "colima"}},
	} {
		got := environmentNote("rdd", "unix:///s", func(name string) string { return c.env[name] })
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A user who selects an engine with a variable keeps the current context.
func TestOfferContextObeysVariables(t *testing.T) {
	for name, c := range map[string]struct {
		variable, value string
		current         string
		note            string
	}{
		"None":       {"DOCKER_HOST", "", "rdd", `because "gone" does not exist`},
		"Host":       {"DOCKER_HOST", "tcp://a:1", "gone", "DOCKER_HOST=tcp://a:1 takes precedence"},
		"Context":    {"DOCKER_CONTEXT", "mine", "gone", "DOCKER_CONTEXT=mine takes precedence"},
		"OwnContext": {"DOCKER_CONTEXT", "rdd", "gone", ""},
	} {
		t.Run(name, func(t *testing.T) {
			inst := instancetest.Create(t, "2")
			dir := filepath.Join(t.TempDir(), "docker")
			t.Setenv("DOCKER_CONFIG", dir)
			t.Setenv(c.variable, c.value)
			testkit.WriteFile(t, filepath.Join(dir, "config.json"), `{"currentContext":"gone"}`)
			var errOut strings.Builder
			s := &session{ctx: t.Context(), err: &errOut, instance: inst}
			s.offerContext(&appv1.App{Spec: appv1.AppSpec{Running: true}}, dockercontext.SelectIfNeeded)
			config := dockercontext.Open(dir)
			if found, err := config.Context("rdd"); err != nil || found.Host != dockercontext.Socket(inst) {
				t.Errorf("%+v, %v", found, err)
			}
			if current, err := config.Current(); err != nil || current != c.current {
				t.Errorf("the current context is %q, %v, want %q", current, err, c.current)
			}
			if got := errOut.String(); (got == "") != (c.note == "") || !strings.Contains(got, c.note) {
				t.Errorf("%q, want %q", got, c.note)
			}
			if got := loadClientFiles(inst).DockerConfigs; !slices.Equal(got, []string{dir}) {
				t.Errorf("recorded: %q", got)
			}
		})
	}
}

func TestFindProgram(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"one/tool": 0o755, "one/plain": 0o644, "two/tool": 0o755, "two/both": 0o755, "one/both": 0o644} {
		testkit.WriteFile(t, filepath.Join(dir, name), "#!/bin/sh\n")
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "one/folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "missing") + ":" + filepath.Join(dir, "one") + ":" + filepath.Join(dir, "two")
	for name, c := range map[string]struct {
		want string
		code int
	}{
		"tool":              {want: dir + "/one/tool"},
		"both":              {want: dir + "/two/both"},
		"plain":             {code: 126},
		"folder":            {code: 127},
		"nothing":           {code: 127},
		dir + "/two/tool":   {want: dir + "/two/tool"},
		dir + "/one/plain":  {code: 126},
		dir + "/one/folder": {code: 126},
		dir + "/one/x":      {code: 127},
		dir + "/one/tool/x": {code: 127},
	} {
		got, err := findProgram(name, path)
		if c.code == 0 && (got != c.want || err != nil) || c.code != 0 && (exitCode(err) != c.code || !strings.Contains(err.Error(), name)) {
			t.Errorf("%s: %q, %v, exit code %d", name, got, err, exitCode(err))
		}
	}
}

func TestRefusedProgramNamesFix(t *testing.T) {
	for cause, want := range map[syscall.Errno]string{
		syscall.ENOEXEC: "'rdd run sh /x'", syscall.ENOENT: "interpreter", syscall.EACCES: "permission denied",
	} {
		if err := refusedProgram("/x", cause); exitCode(err) != 126 || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", cause, err)
		}
	}
}

func TestRunChecksProgramFirst(t *testing.T) {
	home := instancetest.Home(t)
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"run":                        {2, "command"},
		"run --":                     {2, "run needs a program"},
		"run --timeout=0 true":       {2, "--timeout"},
		"run no-such-program --help": {127, "was not found"},
		"run -- /etc/passwd x":       {126, "not executable"},
	} {
		code, out, errOut := rdd(t, strings.Fields(args)...)
		if code != want.code || !strings.Contains(out+errOut, want.text) {
			t.Errorf("%s: %d, %s%s", args, code, out, errOut)
		}
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("an instance was created: %v, %v", left, err)
	}
}

func TestRunEnvironment(t *testing.T) {
	got := runEnvironment([]string{"A=1", "DOCKER_HOST=x", "DOCKER_CONTEXT=x", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=/c", "KUBECONFIG=x", "DOCKER_CONFIG=/d"}, "unix:///s", "/k")
	if want := []string{"A=1", "DOCKER_CONFIG=/d", "DOCKER_HOST=unix:///s", "KUBECONFIG=/k"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestContextShowAndUse(t *testing.T) {
	home := instancetest.Home(t)
	code, out, _ := rdd(t, "context", "show")
	if code != 0 || !strings.Contains(out, "none") || !strings.Contains(out, `docker uses "default"`) || !strings.Contains(out, "'rdd start'") {
		t.Errorf("%d, %s", code, out)
	}
	if code, _, errOut := rdd(t, "context", "use"); code != 1 || !strings.Contains(errOut, `"rdd" yet: 'rdd start'`) {
		t.Errorf("%d, %s", code, errOut)
	}
	inst, err := instance.New("")
	if err != nil {
		t.Fatal(err)
	}
	config := dockercontext.Open(filepath.Join(home, ".docker"))
	if _, err := config.Ensure(t.Context(), inst, dockercontext.Socket(inst), dockercontext.SelectNever, nil); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := rdd(t, "context", "use"); code != 0 || !strings.Contains(out, `"rdd"`) || !strings.Contains(errOut, "is stopped") {
		t.Errorf("%d, %s, %s", code, out, errOut)
	}
	t.Setenv("DOCKER_CONTEXT", "mine")
	code, out, _ = rdd(t, "context", "show", "-o", "json")
	var view contextView
	if err := json.Unmarshal([]byte(out), &view); err != nil || code != 0 {
		t.Fatalf("%d, %s, %v", code, out, err)
	}
	if !view.Exists || !view.Current || view.Endpoint != dockercontext.Socket(inst) || !slices.Equal(view.Environment, []string{"DOCKER_CONTEXT=mine"}) {
		t.Errorf("%+v", view)
	}
	// The deletion of an instance that has nothing else removes the context, and fails.
	if code, out, errOut := rdd(t, "svc", "delete"); code != 1 || !strings.Contains(errOut, `the docker context "rdd" was removed`) {
		t.Errorf("%d, %s, %s", code, out, errOut)
	}
	if current, err := config.Current(); err != nil || current != "default" {
		t.Errorf("%s, %v", current, err)
	}
}

func TestKubeconfigNeedsFirstStart(t *testing.T) {
	instancetest.Home(t)
	for _, args := range [][]string{{"kubeconfig"}, {"kubeconfig", "--merge"}} {
		if code, _, errOut := rdd(t, args...); code != 1 || !strings.Contains(errOut, "svc start'") {
			t.Errorf("%q: %d, %s", args, code, errOut)
		}
	}
}

func TestClientFilesRecord(t *testing.T) {
	inst := instancetest.Create(t, "2")
	if got := loadClientFiles(inst); len(got.DockerConfigs)+len(got.Kubeconfigs) > 0 {
		t.Errorf("%+v", got)
	}
	for _, add := range []clientFiles{
		{DockerConfigs: []string{"/a"}}, {DockerConfigs: []string{"/a", "/b"}, Kubeconfigs: []string{"/k"}}, {Kubeconfigs: []string{"/k"}},
	} {
		if err := recordClientFiles(inst, add); err != nil {
			t.Fatal(err)
		}
	}
	got := loadClientFiles(inst)
	if !slices.Equal(got.DockerConfigs, []string{"/a", "/b"}) || !slices.Equal(got.Kubeconfigs, []string{"/k"}) {
		t.Errorf("%+v", got)
	}
	if _, err := inst.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(inst.Dir); !os.IsNotExist(err) {
		t.Errorf("the instance is not removed: %v", err)
	}
}
