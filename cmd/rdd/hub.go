package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

const (
	// hubTimeout bounds a command that administers a hub.
	hubTimeout = 5 * time.Minute
	// hubConnectTimeout bounds the first requests, so that a cluster that does not answer
	// is an error soon.
	hubConnectTimeout = 15 * time.Second
)

// hubCmd administers a hub with the user's own kubeconfig. It needs neither an instance
// nor a daemon.
type hubCmd struct {
	Install  hubInstallCmd  `cmd:"" help:"Make a Kubernetes cluster a hub, or update it: a Kubernetes API in which many machines show their engines."`
	Add      hubAddCmd      `cmd:"" help:"Add a machine to the hub, and print its join file. The machine joins with 'rdd join'."`
	Machines hubMachinesCmd `cmd:"" help:"List the machines of the hub."`
	Run      hubRunCmd      `cmd:"" name:"run" help:"Run the controller of the hub until a signal ends it. It marks machines that are away, and removes the mirrors of those that stay away."`
	Remove   hubRemoveCmd   `cmd:"" help:"Remove a machine and its mirrors from the hub. Its engine keeps everything."`
}

// hubFlags select the cluster.
type hubFlags struct {
	Kubeconfig string `help:"Kubeconfig of the cluster. Default: $$KUBECONFIG, else ~/.kube/config." placeholder:"FILE" predictor:"file"`
	Context    string `help:"Context in the kubeconfig. Default: the current one." placeholder:"NAME"`
}

// cluster is the Kubernetes cluster of a command.
type cluster struct {
	config *rest.Config
	client kube.Client
	// clock is the one of the cluster.
	clock *machines.HubClock
}

// connect returns the cluster that the flags and the environment select, as for kubectl.
func (f hubFlags) connect(ctx context.Context, s *session) (*cluster, error) {
	config, err := f.config()
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // the API server limits its clients
	config.WarningHandler = rest.NewWarningWriter(s.err, rest.WarningWriterOptions{Deduplicate: true})
	clock := &machines.HubClock{}
	config.Wrap(clock.Wrap)
	ctx, cancel := context.WithTimeout(ctx, hubConnectTimeout)
	defer cancel()
	c, err := install.Connect(ctx, config)
	if err == nil {
		return &cluster{config, c, clock}, nil
	}
	var answer apierrors.APIStatus
	_, isUnsuitable := errors.AsType[*install.UnsuitableError](err)
	switch {
	case apierrors.IsUnauthorized(err):
		return nil, fmt.Errorf("%w: the credentials in the kubeconfig are not valid: renew them, or select another context with --context", err)
	case isUnsuitable, errors.As(err, &answer):
		return nil, err
	}
	return nil, fmt.Errorf("%w: the cluster does not answer: start it, or select another one with --context or --kubeconfig", err)
}

func (f hubFlags) config() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: f.Context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, errors.New("no Kubernetes cluster is selected, because there is no kubeconfig, or it has no current context: name one with --kubeconfig and --context, or set KUBECONFIG")
	}
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w: select a file with --kubeconfig, and a context with --context", err)
	}
	return config, nil
}

// onHub runs do with the selected cluster.
func (s *session) onHub(f hubFlags, do func(ctx context.Context, hub *cluster) error) error {
	ctx, cancel := context.WithTimeout(s.ctx, hubTimeout)
	defer cancel()
	hub, err := f.connect(ctx, s)
	if err != nil {
		return err
	}
	err = usage(do(ctx, hub))
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%w: this needs the rights of an administrator of the cluster, such as the ClusterRole cluster-admin", err)
	}
	return err
}

// withSteps runs do and shows its steps.
func (s *session) withSteps(do func(report func(step string)) error) error {
	shown := progress.New(s.err)
	defer shown.Close()
	return do(shown.Update)
}

// usage returns the error of a command line for a name that is not valid.
func usage(err error) error {
	if invalid, ok := errors.AsType[*machines.NameError](err); ok {
		return &usageError{invalid.Error()}
	}
	return err
}

type hubInstallCmd struct {
	hubFlags
	Print bool `help:"Print the objects as YAML instead, for 'kubectl apply --server-side' or a repository."`
	Force bool `help:"Also replace the objects of a newer rdd."`
}

// Run implements the command.
func (c *hubInstallCmd) Run(s *session) error {
	if c.Print {
		return install.Print(s.out, buildVersion())
	}
	return s.onHub(c.hubFlags, func(ctx context.Context, hub *cluster) error {
		err := s.withSteps(func(report func(string)) error {
			return install.Apply(ctx, hub.client, report, install.WithVersion(buildVersion()), install.WithDowngrade(c.Force))
		})
		if err := orForced(err, "replace the objects"); err != nil {
			return err
		}
		return s.say("the cluster %s is a hub: 'rdd hub add NAME' adds a machine", hub.config.Host)()
	})
}

// orForced adds to the error of a hub of a newer rdd what --force does.
func orForced(err error, act string) error {
	if _, isDowngrade := errors.AsType[*install.DowngradeError](err); isDowngrade {
		return fmt.Errorf("%w, or %s with --force", err, act)
	}
	return err
}
