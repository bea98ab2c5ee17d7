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

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// svcCmd holds the commands for the control plane.
type svcCmd struct {
	Create  svcCreateCmd  `cmd:"" help:"Make directories, certificates and tokens; start nothing."`
	Start   svcStartCmd   `cmd:"" help:"Start the daemon and wait until it is ready; done when it runs already."`
	Stop    svcStopCmd    `cmd:"" help:"Stop the engine and then the daemon."`
	Restart svcRestartCmd `cmd:"" help:"Stop the daemon and start it again; the engine goes on running."`
	Delete  svcDeleteCmd  `cmd:"" help:"Stop everything and remove every file of the instance, engine data included. Asks nothing."`
	Reset   svcResetCmd   `cmd:"" help:"Remove the datastore and the engine's data, keep certificates and arguments. Asks nothing."`
	Status  svcStatusCmd  `cmd:"" help:"Show whether the daemon runs. Exits with 0 when it answers, else with 1."`
	Logs    svcLogsCmd    `cmd:"" help:"Show the daemon's log."`
	Config  svcConfigCmd  `cmd:"" help:"Print the kubeconfig."`
	Paths   svcPathsCmd   `cmd:"" help:"Show where the instance keeps its files."`
	Serve   svcServeCmd   `cmd:"" help:"Be the daemon, in the foreground."`
}

type svcCreateCmd struct{}

// Run implements the command.
func (c *svcCreateCmd) Run(s *session) error {
	if err := s.manager(func(string) {}).Create(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "instance %q is in %s\n", s.instance.Name, s.instance.Dir)
	return nil
}

// daemonFlags are the arguments that a start may change; those that are not
// given stay as they were.
type daemonFlags struct {
	Port     *int    `help:"Port of the API server on loopback; 0 lets the daemon choose. Default: as last time." placeholder:"N"`
	LogLevel *string `help:"debug, info, warn or error. Default: as last time." enum:"debug,info,warn,error" placeholder:"LEVEL"`

	Namespace *string `help:"Kubernetes namespace of the mirrors; only the first start of an instance can choose it." placeholder:"NAME"`
}

// args are the kept arguments with what was given on the command line.
func (f daemonFlags) args(inst instance.Instance) (instance.Args, error) {
	args, err := keptArgs(inst)
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

// checkNamespace lets only an instance that has no datastore yet choose one.
func checkNamespace(inst instance.Instance, name string) error {
	if errs := validation.IsDNS1123Label(name); len(errs) > 0 {
		return &usageError{fmt.Sprintf("--namespace %q: %s", name, strings.Join(errs, "; "))}
	}
	entries, err := os.ReadDir(inst.DataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the datastore: %w", err)
	}
	if len(entries) > 0 {
		return &usageError{"--namespace: this instance has its mirrors in a namespace already; use another instance, or run 'rdd svc stop' and 'rdd svc reset' first"}
	}
	return nil
}

func checkPort(port int) error {
	if port < 0 || port > 65535 {
		return &usageError{fmt.Sprintf("--port %d: use 1 to 65535, or 0 for any", port)}
	}
	return nil
}

type svcStartCmd struct {
	daemonFlags
	Timeout time.Duration `help:"How long to wait until the daemon is ready." default:"1m"`
}

// Run implements the command.
func (c *svcStartCmd) Run(s *session) error {
	args, err := c.args(s.instance)
	if err != nil {
		return err
	}
	return s.startDaemon(args, c.Timeout)
}

func (s *session) startDaemon(args instance.Args, timeout time.Duration) error {
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
	pid, _, err := instance.Running(s.instance.PidFile)
	if err != nil {
		return err
	}
	if !started {
		fmt.Fprintf(s.out, "the daemon (pid %d) runs already, at %s\n", pid, c.Host())
		if args != before {
			fmt.Fprintln(s.out, "its new arguments take effect at the next 'rdd svc restart'")
		}
		return nil
	}
	fmt.Fprintf(s.out, "the daemon (pid %d) is ready at %s after %s\n", pid, c.Host(), within(shown.Elapsed()))
	return nil
}

type svcConfigCmd struct {
	Path bool `help:"Print the path of the kubeconfig instead."`
}

// Run implements the command.
func (c *svcConfigCmd) Run(s *session) error {
	if c.Path {
		fmt.Fprintln(s.out, s.instance.Config)
		return nil
	}
	text, err := client.KubeconfigText(s.instance)
	if err != nil {
		return err
	}
	_, err = s.out.Write(text)
	return err
}

type svcLogsCmd struct {
	Follow bool `short:"f" help:"Go on with what is written later."`
	Lines  int  `short:"n" help:"How many of the last lines to show; -1 for all." default:"200"`
}

// Run implements the command.
func (c *svcLogsCmd) Run(s *session) error {
	log := filepath.Join(s.instance.LogDir, lifecycle.LogName)
	if _, err := os.Stat(log); errors.Is(err, fs.ErrNotExist) && !c.Follow {
		return fmt.Errorf("instance %q has no log yet; it will be %s", s.instance.Name, log)
	}
	end, err := logtail.Tail(log, c.Lines, s.out)
	if err != nil || !c.Follow {
		return err
	}
	return logtail.Follow(s.ctx, log, end, s.out)
}
