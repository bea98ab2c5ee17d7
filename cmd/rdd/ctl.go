package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd"
	componentcli "k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/ctlargs"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	_ "github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/untranslated"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

type ctlCmd struct {
	Args []string `arg:"" optional:"" help:"Arguments for kubectl."`
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
		if line.needsDaemon && !inst.Exists() {
			return fmt.Errorf("instance %q does not exist, and 'rdd ctl --instance' does not create it: correct the name, or start it with 'rdd --instance %s svc start'",
				inst.Name, inst.Name)
		}
		s.instance = inst
	}
	if line.instead != "" {
		return errors.New(line.instead)
	}
	config := s.instance.Config
	namespace := ""
	if line.needsDaemon {
		daemon, mirrors, err := s.ctlDaemon()
		if err != nil {
			return err
		}
		if config, namespace, err = s.ctlConfig(mirrors); err != nil {
			return err
		}
		if args, err = line.resolve(s.ctx, daemon, mirrors, args); err != nil {
			return err
		}
	}
	// 'kubectl config' reads the environment, and must not touch the user's own kubeconfig.
	if err := os.Setenv(clientcmd.RecommendedConfigPathEnvVar, config); err != nil {
		return fmt.Errorf("set %s: %w", clientcmd.RecommendedConfigPathEnvVar, err)
	}
	kubectl := s.kubectl(genericiooptions.IOStreams{In: s.in, Out: s.out, ErrOut: s.err}, config, namespace)
	kubectl.SetArgs(append([]string{}, args...)) // nil would mean the arguments of the process
	if err := componentcli.RunNoErrOutput(kubectl); err != nil {
		kubectlutil.CheckErr(err)
	}
	return nil
}

// instanceFlag is rdd's own flag. The commands of kubectl accept it too.
const instanceFlag = "instance"

// kubectl returns the embedded kubectl. A namespace that is not empty is the
// default namespace of its commands.
func (s *session) kubectl(streams genericiooptions.IOStreams, config, namespace string) *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag().
		WithDiscoveryBurst(1000).WithDiscoveryQPS(1000).WithWarningPrinter(streams)
	flags.KubeConfig = &config
	if namespace != "" {
		flags.Namespace = &namespace
	}
	// kubectl names its cache after host and port, and instances reuse each other's ports.
	cache := s.instance.CacheDir()
	flags.CacheDir = &cache
	kubectl := cmd.NewKubectlCommand(cmd.KubectlOptions{ConfigFlags: flags, IOStreams: streams})
	kubectl.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "rdd ctl"}
	kubectl.PersistentFlags().String(instanceFlag, s.instance.Name, "Instance of rdd to use.")
	replaceVersion(kubectl, flags)
	replaceCompletion(kubectl)
	hideUnusable(kubectl)
	kubectl.SetOut(streams.Out)
	kubectl.SetErr(streams.ErrOut)
	return kubectl
}

// ctlLine is what rdd needs to know about a kubectl command line.
type ctlLine struct {
	// instance is the value of --instance, or empty.
	instance string
	// needsDaemon is set when kubectl will send requests to a server. It is false
	// for an unknown command or flag, which kubectl rejects: a typing error must
	// not start a daemon.
	needsDaemon bool
	// instead is the error of a command that cannot work, and names the one that can.
	instead string
	// references are the arguments that name mirrors, of namespace if it is not empty.
	references []ctlargs.Reference
	namespace  string
}

// parseCtl parses args as kubectl will. It uses a separate kubectl command,
// because a list flag that is parsed twice holds its values twice.
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
	// Another server has other resources, and knows nothing of the engine.
	if line.needsDaemon && !selectsServer(found.Flags()) {
		line.instead = insteadOfCtl(found)
		line.references = ctlargs.References(found, args)
		line.namespace, _ = found.Flags().GetString("namespace")
	}
	return line
}

// isOffline reports whether a kubectl command with its parsed flags sends no
// request.
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

// ctlDaemon starts the daemon if none runs. It returns a client and the namespace of the
// mirrors.
func (s *session) ctlDaemon() (daemon *client.Client, namespace string, err error) {
	shown := progress.New(s.err)
	defer shown.Close()
	if daemon, err = s.connect(s.ctx, shown); err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	app, err := daemon.App(ctx)
	if err != nil {
		return nil, "", err
	}
	return daemon, cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace), nil
}

// ctlConfig returns the path of a kubeconfig whose namespace is that of the mirrors. If
// that file cannot be written, as on a full disk, it returns the kubeconfig of the
// instance, and the namespace.
func (s *session) ctlConfig(mirrors string) (path, namespace string, err error) {
	path, err = client.ConfigFor(s.instance, mirrors)
	if instance.IsDiskUnwritable(err) {
		return s.instance.Config, mirrors, nil
	}
	return path, "", err
}
