package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// svcCmd holds the commands for the control plane.
type svcCmd struct {
	Create  svcCreateCmd  `cmd:"" help:"Create directories, certificates and tokens, without starting the daemon."`
	Start   svcStartCmd   `cmd:"" help:"Start the daemon, unless it is running, and wait until it is ready."`
	Stop    svcStopCmd    `cmd:"" help:"Stop the engine, then the daemon."`
	Restart svcRestartCmd `cmd:"" help:"Restart the daemon. The engine keeps running."`
	Delete  svcDeleteCmd  `cmd:"" help:"Stop everything and remove all files of the instance, including the engine's data. Asks for confirmation."`
	Reset   svcResetCmd   `cmd:"" help:"Stop the daemon and the engine, remove the datastore and the engine's data, and restart a daemon that was running. Keeps certificates and arguments. Asks for confirmation."`
	List    svcListCmd    `cmd:"" help:"List the instances: state, version, engine, disk usage."`
	Status  svcStatusCmd  `cmd:"" help:"Show the state of the daemon. Exits with 0 if it answers, else with 1."`
	Logs    svcLogsCmd    `cmd:"" help:"Show the daemon's log."`
	Config  svcConfigCmd  `cmd:"" help:"Print the kubeconfig."`
	Token   svcTokenCmd   `cmd:"" help:"Print the token of the API, or a token for clients that only read."`
	Paths   svcPathsCmd   `cmd:"" help:"Print the paths of the instance's files."`
	Serve   svcServeCmd   `cmd:"" help:"Run the daemon in the foreground."`

	Install   svcInstallCmd   `cmd:"" help:"Start the daemon at login, with a user unit of systemd, or an agent of launchd on macOS."`
	Uninstall svcUninstallCmd `cmd:"" help:"Stop starting the daemon at login. A running daemon keeps running."`
}

type svcCreateCmd struct {
	output
}

// Run implements the command.
func (c *svcCreateCmd) Run(s *session) error {
	if err := s.manager(func(string) {}).Create(); err != nil {
		return err
	}
	result := map[string]string{"instance": s.instance.Name, "dir": s.instance.Dir}
	return s.show(c.output, result, s.say("instance %q is in %s", s.instance.Name, s.instance.Dir))
}

// daemonFlags are the arguments that a start can change. A flag that is not given
// keeps its saved value.
type daemonFlags struct {
	Port     *int    `help:"Port of the API server on loopback; 0 for any free port. Default: the saved value." placeholder:"N"`
	LogLevel *string `help:"debug, info, warn or error. Default: the saved value." enum:"debug,info,warn,error" placeholder:"LEVEL"`

	Namespace *string `help:"Kubernetes namespace of the mirrors. It can be set only at the first start of an instance." placeholder:"NAME"`
}

// args returns the saved arguments, changed by the flags that were given.
func (f daemonFlags) args(inst instance.Instance) (instance.Args, error) {
	args, err := savedArgs(inst)
	if err != nil {
		return args, err
	}
	if f.Port != nil {
		args.Port = *f.Port
	}
	if f.LogLevel != nil {
		args.LogLevel = *f.LogLevel
	}
	if f.Namespace != nil && *f.Namespace != args.Namespace {
		if err := checkNamespace(inst, *f.Namespace); err != nil {
			return args, err
		}
		args.Namespace = *f.Namespace
	}
	return args, checkPort(args.Port)
}

// checkNamespace returns an error if the name is invalid, or if the instance has a
// datastore already.
func checkNamespace(inst instance.Instance, name string) error {
	if errs := validation.IsDNS1123Label(name); len(errs) > 0 {
		return &usageError{fmt.Sprintf("--namespace %q: %s", name, strings.Join(errs, "; "))}
	}
	entries, err := os.ReadDir(inst.DataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("check for the datastore: %w", err)
	}
	if len(entries) > 0 {
		return &usageError{"--namespace: the mirrors of this instance have a namespace already: use another instance, or run 'rdd svc stop' and 'rdd svc reset' first"}
	}
	return nil
}

func checkPort(port int) error {
	if port < 0 || port > 65535 {
		return &usageError{fmt.Sprintf("--port %d: use 1 to 65535, or 0 for any free port", port)}
	}
	return nil
}

type svcStartCmd struct {
	output
	daemonFlags
	Timeout time.Duration `help:"How long to wait until the daemon is ready." default:"1m"`
}

// Run implements the command.
func (c *svcStartCmd) Run(s *session) error {
	args, err := c.args(s.instance)
	if err != nil {
		return err
	}
	return s.startDaemon(args, c.Timeout, c.output)
}

// daemonStarted is the result of a start of the daemon.
type daemonStarted struct {
	Instance string `json:"instance"`
	PID      int    `json:"pid"`
	Server   string `json:"server"`
	// Started is false if the daemon was running already.
	Started bool    `json:"started"`
	Seconds float64 `json:"seconds"`
	// RestartNeeded is set if new arguments take effect at the next restart only.
	RestartNeeded bool `json:"restartNeeded,omitempty"`
}

func (s *session) startDaemon(args instance.Args, timeout time.Duration, o output) error {
	before, err := s.instance.LoadArgs()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	shown := progress.New(s.err)
	defer shown.Close()
	c, started, err := s.manager(shown.Update).Start(ctx, args)
	if err != nil {
		return err
	}
	shown.Close()
	s.refreshKubeconfigs()
	pid, _, err := instance.Running(s.instance.PidFile)
	if err != nil {
		return err
	}
	result := daemonStarted{
		Instance: s.instance.Name, PID: pid, Server: c.Host(), Started: started, Seconds: shown.Elapsed().Seconds(),
		RestartNeeded: !started && args != before,
	}
	if started {
		return s.show(o, result, s.say("the daemon (pid %d) is ready at %s after %s", pid, c.Host(), rounded(shown.Elapsed())))
	}
	if note := s.otherVersion(ctx, c); note != "" {
		s.note(s.err, note)
	}
	text := fmt.Sprintf("the daemon (pid %d) is already running at %s", pid, c.Host())
	if result.RestartNeeded {
		text += "\nthe new arguments take effect at the next 'rdd svc restart'"
	}
	return s.show(o, result, s.say("%s", text))
}

type svcConfigCmd struct {
	output
	Path bool `help:"Print the path of the kubeconfig instead."`
}

// Run implements the command.
func (c *svcConfigCmd) Run(s *session) error {
	if c.Path {
		return s.show(c.output, map[string]string{"path": s.instance.Config}, s.say("%s", s.instance.Config))
	}
	text, err := client.KubeconfigText(s.instance)
	if err != nil {
		return err
	}
	var config any
	if err := yaml.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("decode the kubeconfig %s: %w", s.instance.Config, err)
	}
	return s.show(c.output, config, func() error {
		_, err := s.out.Write(text)
		return err
	})
}

type svcLogsCmd struct {
	Follow bool `short:"f" help:"Keep printing new lines."`
	Tail   int  `short:"n" aliases:"lines" help:"Number of lines to show from the end; -1 for all." default:"200"`
}

// Run implements the command.
func (c *svcLogsCmd) Run(s *session) error {
	log := filepath.Join(s.instance.LogDir, lifecycle.LogName)
	if _, err := os.Stat(log); errors.Is(err, fs.ErrNotExist) && !c.Follow {
		return fmt.Errorf("instance %q has no log yet: the daemon will write it to %s", s.instance.Name, log)
	}
	end, err := logtail.Tail(log, c.Tail, s.out)
	if err != nil || !c.Follow {
		return err
	}
	return errors.Join(logtail.Follow(s.ctx, log, end, s.out), s.ctx.Err())
}
