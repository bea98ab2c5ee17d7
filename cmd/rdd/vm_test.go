package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/limahosttest"
)

// machine gives the default instance a VM: its files, a host agent with a status,
// and an ssh that prints its arguments.
func machine(t *testing.T, status limahost.Status) limahost.Paths {
	t.Helper()
	inst, err := instance.New("")
	if err != nil {
		t.Fatal(err)
	}
	paths := limahost.Paths{LimaHome: inst.LimaHome, LogDir: inst.LogDir}
	bin := t.TempDir()
	for path, text := range map[string]string{
		paths.SSHConfig():         "",
		paths.Console():           "kernel\ninit\n",
		paths.AgentLog():          "one\ntwo\nthree\n",
		filepath.Join(bin, "ssh"): "#!/bin/sh\ncat\nfor a; do echo \"<$a>\"; done\nexit ${SSH_ENDS:-0}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	limahosttest.Agent(t, paths, &status)
	return paths
}

func TestVMCommandsWithoutVM(t *testing.T) {
	instancetest.Home(t)
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"vm --help", 0, "restart"},
		{"shell --help", 0, "login shell"},
		{"shell", 1, "no VM runs: start it with 'rdd start'"},
		{"shell docker ps -a", 1, "no VM runs"},
		{"vm status", 1, "vm.driver=lima"},
		{"vm status -o json", 1, `"state": "none"`},
		{"vm status -o xml", 2, "xml"},
		{"vm logs", 1, "no agent log yet"},
		{"vm logs --source console", 1, "serial.log"},
		{"vm logs --source engine", 2, "agent"},
		{"vm reset", 1, "does not exist"},
		{"vm restart --timeout=-1s", 2, "negative"},
		{"set vm.memory=4GB", 2, "did you mean 4G?"},
		{"set vm.memory=lots", 2, "such as 512Mi or 4Gi"},
		{"set vm.cpus=65", 2, "at most 64"},
		{"set vm.acceleration=warp", 2, "auto, kvm, hvf, vz, tcg"},
		{"set vm.image=no/such", 2, "no/such"},
		{"set --help", 0, "Memory is the memory size of the virtual machine"},
	} {
		code, out, errOut := rdd(t, strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(out+errOut, test.want) {
			t.Errorf("rdd %s: %d, want %d and %q\n%s%s", test.args, code, test.code, test.want, out, errOut)
		}
	}
	if left, err := os.ReadDir(os.Getenv("HOME")); err != nil || len(left) != 0 {
		t.Errorf("read-only commands created %v, %v", left, err)
	}
}

func TestVMCommandsWithRunningVM(t *testing.T) {
	instancetest.Home(t)
	machine(t, limahost.Status{Revision: 1, Phase: limahost.PhaseReady, Answers: true, MachinePID: 7, Acceleration: "tcg"})
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"vm status", 0, "running (host agent"},
		{"vm status -o json", 0, `"acceleration": "tcg"`},
		{"status", 1, "vm:        running (host agent"},
		{"vm logs -n 2", 0, "two\nthree\n"},
		{"vm logs --source=console", 0, "kernel\ninit\n"},
		{"vm reset", 2, "--yes"},
	} {
		code, out, errOut := rdd(t, strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(out+errOut, test.want) {
			t.Errorf("rdd %s: %d, want %d and %q\n%s%s", test.args, code, test.code, test.want, out, errOut)
		}
	}
	inst, err := instance.New("")
	if err != nil {
		t.Fatal(err)
	}
	if _, running, err := instance.Running(inst.PidFile); running || err != nil {
		t.Errorf("a daemon was started: %v", err)
	}
}

func TestShell(t *testing.T) {
	instancetest.Home(t)
	paths := machine(t, limahost.Status{Revision: 1, Phase: limahost.PhaseReady, Answers: true})
	ssh := []string{"-F", paths.SSHConfig(), "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=10", "lima-rdd"}
	for _, test := range []struct{ args, want []string }{
		{nil, nil},
		{[]string{"ls", "-la", "--help"}, []string{"--", `'ls' '-la' '--help'`}},
		{[]string{"--", "-odd"}, []string{"--", `'-odd'`}},
		{[]string{"a", "--", "b"}, []string{"--", `'a' '--' 'b'`}},
		{[]string{"echo", "it's", "$HOME", "", "two\nlines"}, []string{"--", `'echo' 'it'\''s' '$HOME' '' 'two` + "\n" + `lines'`}},
	} {
		var out, errOut strings.Builder
		code := run(append([]string{"shell"}, test.args...), strings.NewReader("in\n"), &out, &errOut)
		want := "in\n"
		for _, arg := range append(slices.Clone(ssh), test.want...) {
			want += "<" + arg + ">\n"
		}
		if code != 0 || out.String() != want || errOut.String() != "" {
			t.Errorf("%q: %d\n%swant\n%s%s", test.args, code, out.String(), want, errOut.String())
		}
	}
	t.Setenv("SSH_ENDS", "42")
	if code, _, errOut := rdd(t, "shell", "false"); code != 42 || errOut != "" {
		t.Errorf("%d, %s", code, errOut)
	}
}

func TestShellRejectsBootingVM(t *testing.T) {
	instancetest.Home(t)
	machine(t, limahost.Status{Revision: 1, Phase: limahost.PhaseBoot})
	if code, _, errOut := rdd(t, "shell", "true"); code != 1 || !strings.Contains(errOut, "boot") {
		t.Errorf("%d, %s", code, errOut)
	}
}

func TestShellPassesAllArguments(t *testing.T) {
	for _, args := range []string{"ls -la", "docker ps -a", "sh -c x --instance y", "cmd -- version", ""} {
		var commands cli
		parser, err := kong.New(&commands, kong.Exit(func(int) { t.Errorf("%q shows the help of rdd", args) }))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(args)
		if _, err := parser.Parse(append([]string{"--instance", "i", "shell"}, want...)); err != nil {
			t.Errorf("shell %s: %v", args, err)
		}
		if !slices.Equal(commands.Shell.Command, want) || commands.Instance != "i" {
			t.Errorf("shell %s: %q of instance %q", args, commands.Shell.Command, commands.Instance)
		}
	}
}

func TestImagePathBecomesAbsolute(t *testing.T) {
	dir := instancetest.Home(t)
	t.Chdir(dir)
	if err := os.Mkdir("built", 0o700); err != nil {
		t.Fatal(err)
	}
	there, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"vm.image=built":           "vm.image=" + filepath.Join(there, "built"),
		"vm.image=./built/":        "vm.image=" + filepath.Join(there, "built"),
		"vm.image=~/built":         "vm.image=" + filepath.Join(dir, "built"),
		"vm.image=" + there:        "vm.image=" + there,
		"vm.image=cloud":           "vm.image=cloud",
		"vm.image=":                "vm.image=",
		"vm.endpoint=unix:///some": "vm.endpoint=unix:///some",
	} {
		if got, err := withAbsolutePaths([]string{in}); err != nil || got[0] != want {
			t.Errorf("%s: %q, %v, want %s", in, got, err, want)
		}
	}
}
