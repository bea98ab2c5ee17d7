package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd"
	componentcli "k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

type ctlCmd struct {
	Args []string `arg:"" optional:"" help:"What kubectl takes."`
}

// Run implements the command. kubectl ends the process itself when it fails,
// with its own exit codes.
func (c *ctlCmd) Run(s *session) error {
	args := c.Args
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	line := s.parseCtl(args)
	if line.instance != "" {
		inst, err := instance.New(line.instance)
		if err != nil {
			return &usageError{err.Error()}
		}
		s.instance = inst
	}
	config := s.instance.Config
	namespace := ""
	if line.needsDaemon {
		var err error
		if config, namespace, err = s.ctlConfig(); err != nil {
			return err
		}
	}
	// 'config' goes by the environment and must not touch the user's own kubeconfig.
	if err := os.Setenv(clientcmd.RecommendedConfigPathEnvVar, config); err != nil {
		return fmt.Errorf("choose the kubeconfig: %w", err)
	}
	kubectl := s.kubectl(genericiooptions.IOStreams{In: s.in, Out: s.out, ErrOut: s.err}, config, namespace)
	kubectl.SetArgs(append([]string{}, args...)) // nil would mean the arguments of the process
	if err := componentcli.RunNoErrOutput(kubectl); err != nil {
		kubectlutil.CheckErr(err)
	}
	return nil
}

// instanceFlag is rdd's own flag, which kubectl's commands take too.
const instanceFlag = "instance"

// kubectl is the embedded kubectl. namespace, unless it is empty, is the
// namespace of commands that name none.
func (s *session) kubectl(streams genericiooptions.IOStreams, config, namespace string) *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag().
		WithDiscoveryBurst(1000).WithDiscoveryQPS(1000).WithWarningPrinter(streams)
	flags.KubeConfig = &config
	if namespace != "" {
		flags.Namespace = &namespace
	}
	// The cache is named after host and port, which instances take over from each other.
	cache := s.instance.CacheDir()
	flags.CacheDir = &cache
	kubectl := cmd.NewKubectlCommand(cmd.KubectlOptions{ConfigFlags: flags, IOStreams: streams})
	kubectl.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "rdd ctl"}
	kubectl.PersistentFlags().String(instanceFlag, s.instance.Name, "Instance of rdd to use")
	replaceVersion(kubectl, flags)
	kubectl.SetOut(streams.Out)
	kubectl.SetErr(streams.ErrOut)
	return kubectl
}

// ctlLine is what rdd must know of a command line of kubectl.
type ctlLine struct {
	// instance that the line names; empty when it names none.
	instance string
	// needsDaemon is whether kubectl will send requests to a server. It is false
	// for a line with an unknown command or flag, which kubectl refuses: a typing
	// error creates and starts nothing.
	needsDaemon bool
}

// parseCtl parses args as kubectl will, with a kubectl of its own, because
// a flag that is parsed twice has its values twice.
func (s *session) parseCtl(args []string) ctlLine {
	kubectl := s.kubectl(genericiooptions.NewTestIOStreamsDiscard(), s.instance.Config, "")
	kubectl.InitDefaultHelpCmd()
	kubectl.InitDefaultCompletionCmd()
	found, rest, err := kubectl.Find(args)
	if err != nil || found.DisableFlagParsing {
		return ctlLine{}
	}
	found.InitDefaultHelpFlag()
	err = found.ParseFlags(rest)
	var line ctlLine
	if flag := found.Flags().Lookup(instanceFlag); flag != nil && flag.Changed {
		line.instance = flag.Value.String()
	}
	line.needsDaemon = err == nil && found != kubectl && !isOffline(found)
	return line
}

// isOffline reports whether a command of kubectl, with the flags that it has
// parsed, sends no request.
func isOffline(command *cobra.Command) bool {
	if help, err := command.Flags().GetBool("help"); err == nil && help {
		return true
	}
	top := command
	for top.Parent() != nil && top.Parent().HasParent() {
		top = top.Parent()
	}
	switch top.Name() {
	case "help", "completion", "config", "kustomize", "options", "plugin":
		return true
	case "version":
		client, err := command.Flags().GetBool("client")
		return err == nil && client
	}
	return false
}

// ctlConfig starts the daemon when needed, and returns the path of a kubeconfig
// whose namespace is that of the mirrors. Where that cannot be written, as on a
// full disk, it returns the instance's own and the namespace.
func (s *session) ctlConfig() (path, namespace string, err error) {
	shown := progress.New(s.err)
	defer shown.Close()
	daemon, err := s.connect(s.ctx, shown)
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(s.ctx, lookTimeout)
	defer cancel()
	app, err := daemon.App(ctx)
	if err != nil {
		return "", "", err
	}
	namespace = cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace)
	path, err = client.ConfigFor(s.instance, namespace)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EDQUOT) {
		return s.instance.Config, namespace, nil
	}
	return path, "", err
}
