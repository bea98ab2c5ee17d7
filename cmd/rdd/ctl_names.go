package main

import (
	"context"
	"slices"

	"github.com/spf13/pflag"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
)

// resolve replaces what people call objects by the names of their resources.
func (l ctlLine) resolve(ctx context.Context, daemon *client.Client, namespace string, args []string) ([]string, error) {
	args = slices.Clone(args)
	if l.namespace != "" {
		namespace = l.namespace
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	for _, r := range l.references {
		name, err := daemon.ResourceName(ctx, r.Kind, namespace, r.Name)
		if err != nil {
			return nil, err
		}
		args[r.Arg] = r.Type + name
	}
	return args, nil
}

// selectsServer reports whether flags of kubectl select another server than that of the
// instance.
func selectsServer(flags *pflag.FlagSet) bool {
	return slices.ContainsFunc([]string{"kubeconfig", "context", "cluster", "server"}, flags.Changed)
}
