package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// rdd runs a command line and returns its exit code and output.
func rdd(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e strings.Builder
	code = run(args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestCommandLineExitCodes(t *testing.T) {
	instancetest.Home(t)
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"", 0, "Usage: rdd"},
		{"--help", 0, "service"},
		{"svc --help", 0, "paths"},
		{"set --help", 0, "moby|containerd"},
		{"--instance other set --help", 0, "vm.driver"},
		{"nonsense", 2, "nonsense"},
		{"set", 2, "property=value"},
		{"set running", 2, "PROPERTY=VALUE"},
		{"set rnning=true", 2, "did you mean running?"},
		{"set vm.driver=none", 2, "auto, native, lima, external"},
		{"set running=true --timeout=-1s", 2, "negative"},
		{"set running=true --timeout=soon", 2, "soon"},
		{"svc paths nope", 2, "log_dir"},
		{"svc paths -o xml", 2, "xml"},
		{"svc start --port 99999", 2, "65535"},
		{"svc start --log-level loud", 2, "debug"},
		{"--instance ../x svc paths", 2, "instance name"},
		{"tree", 1, "svc start"},
		{"svc config", 1, "svc start"},
		{"service statsu", 2, "Run \"rdd svc --help\""},
		{"svc logs", 1, "no log yet"},
		{"svc status", 1, "stopped"},
		{"status", 1, "rdd start'"},
		{"status --short", 1, "stopped; next: 'rdd start'"},
		{"svc stop", 0, "no daemon was running"},
		{"svc stop --keep-engine", 0, "no daemon was running"},
		{"svc stop --keep-vm", 0, "no daemon was running"}, // of earlier versions
		{"svc logs --tail=5", 1, "no log yet"},
		{"svc logs --lines=5", 1, "no log yet"},
		{"vm logs --tail=5", 1, "no agent log yet"},
		{"vm logs --lines=5", 1, "no agent log yet"},
		{"logs web --tail=-1", 2, "--tail=-1: use 0 or more"},
		{"logs web --lines=-1", 2, "--tail=-1: use 0 or more"},
		{"svc delete", 1, "does not exist"},
		{"svc delete --yes", 1, "'rdd start' creates it"},
		{"--instance wrong svc reset --yes", 1, "instance \"wrong\" does not exist"},
		{"--instance wrong prune --yes", 1, "does not exist"},
		{"svc list", 0, "there are no instances"},
		{"svc list -o json", 0, "[]"},
		{"svc list -o yaml", 0, "[]"},
		{"svc list -o name", 0, ""},
		{"svc list -o xml", 2, "table"},
		{"version", 0, "rdd "},
		{"version -o json", 0, `"version"`},
		{"version -o yaml", 0, "version: "},
		{"svc paths -o yaml", 0, "log_dir: "},
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

// An instance whose daemon never ran has no kubeconfig. The error names the command
// that starts the daemon.
func TestConfigAfterCreateNamesStart(t *testing.T) {
	instancetest.Home(t)
	if code, _, errOut := rdd(t, "svc", "create"); code != 0 {
		t.Fatal(errOut)
	}
	code, out, errOut := rdd(t, "svc", "config")
	if code != 1 || out != "" || !strings.Contains(errOut, "svc start'") || strings.Contains(errOut, "svc create") {
		t.Errorf("%d, %q, %q", code, out, errOut)
	}
}

// S5: 'rdd svc paths' works without a daemon.
func TestPathsWorkWithoutDaemon(t *testing.T) {
	dir := instancetest.Home(t)
	_, out, _ := rdd(t, "--instance", "o'k", "svc", "paths")
	if out != "" {
		t.Errorf("a name with a quote was accepted: %s", out)
	}
	code, out, _ := rdd(t, "--instance=dev", "service", "paths", "log_dir")
	if want := filepath.Join(dir, ".local/state/rancher-desktop-dev/logs") + "\n"; code != 0 || out != want {
		t.Errorf("%d, %q, want %q", code, out, want)
	}
	_, out, _ = rdd(t, "svc", "paths", "-o", "json")
	var paths map[string]string
	if err := json.Unmarshal([]byte(out), &paths); err != nil || len(paths) != 9 {
		t.Errorf("%v: %s", err, out)
	}
	_, out, _ = rdd(t, "svc", "paths", "-o", "shell")
	shell, err := exec.Command("sh", "-c", out+`printf %s "$docker_socket"`).Output()
	if err != nil || string(shell) != paths["docker_socket"] {
		t.Errorf("%v: %s, want %s", err, shell, paths["docker_socket"])
	}
}

func TestShellQuoting(t *testing.T) {
	const odd = `a b'c"$d\` + "`e`\nf"
	out, err := exec.Command("sh", "-c", "printf %s "+shellQuoted(odd)).Output()
	if err != nil || string(out) != odd {
		t.Errorf("%q, %v", out, err)
	}
}

// All arguments after ctl are for kubectl, including --help and flags of rdd.
func TestCtlPassesAllArguments(t *testing.T) {
	for _, args := range []string{"get containers -w", "--help", "-n x get pods -o json", "get --instance y", "-- version", ""} {
		var commands cli
		parser, err := kong.New(&commands, kong.Exit(func(int) { t.Errorf("%q shows the help of rdd", args) }))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(args)
		if _, err := parser.Parse(append([]string{"--instance", "i", "ctl"}, want...)); err != nil {
			t.Errorf("ctl %s: %v", args, err)
		}
		if !slices.Equal(commands.Ctl.Args, want) || commands.Instance != "i" {
			t.Errorf("ctl %s: %q of instance %q", args, commands.Ctl.Args, commands.Instance)
		}
	}
}

func TestCtlHelpStartsNoDaemon(t *testing.T) {
	for args, want := range map[string]bool{
		"": false, "--help": false, "get --help": false, "help get": false, "completion bash": false,
		"config view": false, "get pods": true, "version": true, "version --client": false, "api-resources -o name": true,
	} {
		if got := (&session{}).parseCtl(strings.Fields(args)).needsDaemon; got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
}

func TestCtlTypingErrorStartsNoDaemon(t *testing.T) {
	for _, args := range []string{"gte pods", "get pods --no-such-flag", "--no-such-flag get pods", "-n x", "get -o", "--instance"} {
		if (&session{}).parseCtl(strings.Fields(args)).needsDaemon {
			t.Errorf("%q starts a daemon", args)
		}
	}
}

func TestCtlAcceptsInstanceFlag(t *testing.T) {
	for args, want := range map[string]ctlLine{
		"--instance y get pods":        {instance: "y", needsDaemon: true},
		"--instance=y get pods":        {instance: "y", needsDaemon: true},
		"-n x --instance y get pods":   {instance: "y", needsDaemon: true},
		"get pods --instance y -o yml": {instance: "y", needsDaemon: true},
		"--instance y config view":     {instance: "y", needsDaemon: false},
		"--instance y gte pods":        {instance: "", needsDaemon: false},
		"exec a -- cmd --instance y":   {instance: "", needsDaemon: true},
		"get pods":                     {instance: "", needsDaemon: true},
	} {
		got := (&session{}).parseCtl(strings.Fields(args))
		if got.instance != want.instance || got.needsDaemon != want.needsDaemon {
			t.Errorf("%q: %+v, want %+v", args, got, want)
		}
	}
}

func TestServeCommandHasArguments(t *testing.T) {
	cmd := serveCommand(instance.Instance{Name: "dev"}, instance.Args{Port: 6443, LogLevel: "debug"})
	if got := strings.Join(cmd.Args[1:], " "); got != "--instance dev svc serve --port 6443 --log-level debug" {
		t.Error(got)
	}
	var commands cli
	parser, err := kong.New(&commands)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(cmd.Args[1:]); err != nil {
		t.Error(err)
	}
	if commands.Svc.Serve.Port != 6443 || commands.Svc.Serve.LogLevel != "debug" || commands.Instance != "dev" {
		t.Errorf("%+v", commands.Svc.Serve)
	}
}

func TestStartFlagsOverrideSavedArguments(t *testing.T) {
	instancetest.Home(t)
	inst, err := instance.New("")
	if err != nil {
		t.Fatal(err)
	}
	if err := inst.Create(); err != nil {
		t.Fatal(err)
	}
	if err := inst.SaveArgs(instance.Args{Port: 1, LogLevel: "warn"}); err != nil {
		t.Fatal(err)
	}
	port := 0
	for _, test := range []struct {
		flags daemonFlags
		want  instance.Args
	}{
		{daemonFlags{}, instance.Args{Port: 1, LogLevel: "warn"}},
		{daemonFlags{Port: &port}, instance.Args{LogLevel: "warn"}},
	} {
		if got, err := test.flags.args(inst); err != nil || got != test.want {
			t.Errorf("%+v, %v, want %+v", got, err, test.want)
		}
	}
}
