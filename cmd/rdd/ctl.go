package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

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
	config := s.instance.Config
	if needsDaemon(args) {
		var err error
		if config, err = s.ctlConfig(); err != nil {
			return err
		}
	}
	streams := genericiooptions.IOStreams{In: s.in, Out: s.out, ErrOut: s.err}
	flags := genericclioptions.NewConfigFlags(true).WithDeprecatedPasswordFlag().
		WithDiscoveryBurst(1000).WithDiscoveryQPS(1000).WithWarningPrinter(streams)
	flags.KubeConfig = &config
	// The cache is named after host and port, which instances take over from each other.
	cache := filepath.Join(s.instance.Dir, "cache")
	flags.CacheDir = &cache
	// 'config' goes by the environment and must not touch the user's own kubeconfig.
	if err := os.Setenv(clientcmd.RecommendedConfigPathEnvVar, config); err != nil {
		return fmt.Errorf("choose the kubeconfig: %w", err)
	}
	kubectl := cmd.NewKubectlCommand(cmd.KubectlOptions{ConfigFlags: flags, IOStreams: streams})
	kubectl.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "rdd ctl"}
	replaceVersion(kubectl, flags)
	kubectl.SetOut(s.out)
	kubectl.SetErr(s.err)
	kubectl.SetArgs(append([]string{}, args...)) // nil would mean the arguments of the process
	if err := componentcli.RunNoErrOutput(kubectl); err != nil {
		kubectlutil.CheckErr(err)
	}
	return nil
}

// needsDaemon says whether kubectl will talk to a server.
func needsDaemon(args []string) bool {
	if len(args) == 0 {
		return false
	}
	switch args[0] {
	case "help", "completion", "config", "kustomize", "options", "plugin", "__complete", "__completeNoDesc":
		return false
	}
	return !slices.ContainsFunc(args, func(arg string) bool {
		return arg == "--help" || arg == "-h" || (arg == "--client" && args[0] == "version")
	})
}

// ctlConfig starts the daemon when needed, and returns the path of a kubeconfig
// whose namespace is that of the mirrors.
func (s *session) ctlConfig() (string, error) {
	shown := progress.New(s.err)
	defer shown.Close()
	daemon, err := s.connect(s.ctx, shown)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(s.ctx, lookTimeout)
	defer cancel()
	app, err := daemon.App(ctx)
	if err != nil {
		return "", err
	}
	return client.ConfigFor(s.instance, cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace))
}
