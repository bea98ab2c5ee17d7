package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
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
	objects := map[containersv1.Kind][]client.NamedObject{}
	for _, r := range l.references {
		if client.IsResourceName(r.Kind, r.Name) {
			continue
		}
		if _, listed := objects[r.Kind]; !listed {
			list, err := daemon.Objects(ctx, r.Kind, namespace)
			if err != nil {
				return nil, fmt.Errorf("find %s %q: %w", strings.ToLower(string(r.Kind)), r.Name, err)
			}
			objects[r.Kind] = list
		}
		name, err := client.ResourceName(r.Kind, r.Name, objects[r.Kind])
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
