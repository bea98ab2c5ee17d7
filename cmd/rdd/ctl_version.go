package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/yaml"
)

// replaceVersion replaces kubectl's version command. That one needs a version of
// Kubernetes that is set with linker flags, and fails without it.
func replaceVersion(kubectl *cobra.Command, flags *genericclioptions.ConfigFlags) {
	for _, command := range kubectl.Commands() {
		if command.Name() == "version" {
			kubectl.RemoveCommand(command)
		}
	}
	var clientOnly bool
	var output string
	command := &cobra.Command{
		Use: "version", Short: "Print the client and server version information", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			versions := map[string]map[string]string{"clientVersion": {"gitVersion": kubernetesVersion()}}
			if !clientOnly {
				discovery, err := flags.ToDiscoveryClient()
				if err != nil {
					return err
				}
				server, err := discovery.ServerVersion()
				if err != nil {
					return err
				}
				versions["serverVersion"] = map[string]string{
					"gitVersion": server.GitVersion, "major": server.Major, "minor": server.Minor,
				}
			}
			return printVersions(command, versions, output)
		},
	}
	command.Flags().BoolVar(&clientOnly, "client", false, "If true, shows client version only (no server required).")
	command.Flags().StringVarP(&output, "output", "o", "", "One of 'yaml' or 'json'.")
	kubectl.AddCommand(command)
}

func printVersions(command *cobra.Command, versions map[string]map[string]string, output string) error {
	out := command.OutOrStdout()
	switch output {
	case "":
		fmt.Fprintf(out, "Client Version: %s\n", versions["clientVersion"]["gitVersion"])
		if server, found := versions["serverVersion"]; found {
			fmt.Fprintf(out, "Server Version: %s\n", server["gitVersion"])
		}
		return nil
	case "json":
		return (&session{out: out}).printJSON(versions)
	case "yaml":
		text, err := yaml.Marshal(versions)
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	default:
		return fmt.Errorf("--output must be 'yaml' or 'json', not %q", output)
	}
}

// kubernetesVersion returns the version of the Kubernetes libraries in this program.
func kubernetesVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == "k8s.io/kubernetes" {
			return module.Version
		}
	}
	return "unknown"
}
