package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// unusable is a command of kubectl that cannot work with rdd's API server.
type unusable struct {
	// needs are the resources that the command works with, and rdd does not have.
	needs string
	// instead is what to use; empty if there is nothing similar.
	instead string
}

// unusableCommands returns the commands, by their path below kubectl. A path stands for its
// subcommands too.
func unusableCommands() map[string]unusable {
	const pods, workloads = "pods and nodes", "Deployments, StatefulSets and the like"
	return map[string]unusable{
		"logs":           {pods, "'rdd logs NAME'"},
		"exec":           {pods, "'rdd exec NAME -- PROGRAM'"},
		"attach":         {pods, "'rdd attach NAME'"},
		"top":            {pods, "'rdd top'"},
		"run":            {pods, "'rdd run docker run IMAGE'"},
		"debug":          {pods, "'rdd exec -it NAME -- sh'"},
		"cp":             {pods, "'rdd run docker cp'"},
		"port-forward":   {pods, "'rdd run docker run -p PORT:PORT IMAGE'"},
		"cordon":         {"nodes", ""},
		"uncordon":       {"nodes", ""},
		"drain":          {"nodes", "'rdd stop'"},
		"taint":          {"nodes", ""},
		"expose":         {"Services", "'rdd run docker run -p PORT:PORT IMAGE'"},
		"cluster-info":   {"Services", "'rdd status'"},
		"rollout":        {workloads, ""},
		"autoscale":      {workloads, ""},
		"set":            {workloads, ""},
		"certificate":    {"CertificateSigningRequests", ""},
		"auth reconcile": {"Roles and RoleBindings", ""},
	}
}

// creatable are the subcommands of create whose resources rdd has. 'create -f FILE' works
// for all of them.
func creatable() map[string]bool { return map[string]bool{"namespace": true} }

// hideUnusable removes the commands that cannot work from the help of kubectl, and 'scale',
// which works with definitions of the user's own.
func hideUnusable(kubectl *cobra.Command) {
	for _, command := range kubectl.Commands() {
		path := command.Name()
		_, hidden := unusableCommands()[path]
		command.Hidden = command.Hidden || hidden || path == "scale"
		for _, sub := range command.Commands() {
			_, hidden := unusableCommands()[path+" "+sub.Name()]
			sub.Hidden = sub.Hidden || hidden || path == "create" && !creatable()[sub.Name()]
		}
	}
}

// insteadOfCtl returns the error of a command of kubectl that cannot work; empty for
// others.
func insteadOfCtl(command *cobra.Command) string {
	var words []string
	for ; command.HasParent(); command = command.Parent() {
		words = append([]string{command.Name()}, words...)
	}
	for n := len(words); n > 0; n-- {
		path := strings.Join(words[:n], " ")
		found, isUnusable := unusableCommands()[path]
		switch {
		case isUnusable && found.instead != "":
			return fmt.Sprintf("kubectl %s only works with %s, and rdd has none: use %s", path, found.needs, found.instead)
		case isUnusable:
			return fmt.Sprintf("kubectl %s only works with %s, and rdd has none: 'rdd ctl --help' lists the commands that work", path, found.needs)
		}
	}
	if len(words) > 1 && words[0] == "create" && !creatable()[words[1]] {
		return fmt.Sprintf("rdd has no resource for 'kubectl create %s': 'rdd ctl api-resources' lists those it has, and 'rdd ctl create -f FILE' creates them", words[1])
	}
	return ""
}
