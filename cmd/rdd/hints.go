package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// hints maps commands that people know from other programs to the ones of rdd.
func hints() map[string]string {
	const containers = "'rdd ctl get containers' lists containers, and 'rdd top' shows what they use"
	const remove = "'rdd ctl delete container NAME' removes a container, and 'rdd ctl delete image NAME' an image"
	const docker = "docker does that: 'rdd run docker ARGUMENT…' runs docker with this engine, and 'rdd context use' makes it docker's engine"
	const describe = "'rdd ctl describe container NAME' shows a container, and 'rdd status' the engine"
	return map[string]string{
		"ps": containers, "ls": containers, "list": containers, "container": containers, "containers": containers,
		"images": "'rdd ctl get images' lists images", "image": "'rdd ctl get images' lists images",
		"volume": "'rdd ctl get volumes' lists volumes", "volumes": "'rdd ctl get volumes' lists volumes",
		"network": "'rdd ctl get networks' lists networks", "networks": "'rdd ctl get networks' lists networks",
		"rm": remove, "rmi": remove,
		"delete":  remove + "; 'rdd svc delete' removes the whole instance",
		"remove":  remove + "; 'rdd svc delete' removes the whole instance",
		"inspect": describe, "describe": describe, "info": "'rdd status' shows the engine",
		"up": "'rdd start' starts the engine", "down": "'rdd stop' stops the engine",
		"restart": "'rdd vm restart' restarts the VM, and 'rdd svc restart' the daemon",
		"get":     "'rdd ctl get containers' lists containers: 'rdd ctl' is kubectl", "kubectl": "'rdd ctl' is kubectl",
		"config": "'rdd set --help' lists properties, and 'rdd kubeconfig' prints the kubeconfig",
		"build":  docker, "compose": docker, "cp": docker, "login": docker, "tag": docker, "docker": docker,
	}
}

// unknownCommandError reports a command that rdd does not have, and names the one that a
// user probably wants.
type unknownCommandError struct {
	command, hint string
	cause         error
}

func (e *unknownCommandError) Error() string {
	return fmt.Sprintf("unknown command %q: %s", e.command, e.hint)
}

// Unwrap returns the error of the parser.
func (e *unknownCommandError) Unwrap() error { return e.cause }

// withHint returns the instance and the error of a command line that could not be parsed.
// If the command is known from another program, the error names the one of rdd.
func withHint(args []string, err error) (instance.Instance, error) {
	parse, ok := errors.AsType[*kong.ParseError](err)
	if !ok || parse.Context == nil || parse.Context.Selected() != nil {
		return instance.Instance{}, err
	}
	name, command := firstWord(args)
	hint := hints()[command]
	if hint == "" {
		return instance.Instance{}, err
	}
	inst, nameErr := instance.New(name)
	if nameErr != nil {
		inst = instance.Instance{}
	}
	return inst, &unknownCommandError{command, hint, err}
}

// firstWord returns the value of --instance, and the first argument that is no flag.
func firstWord(args []string) (name, word string) {
	for i := 0; i < len(args); i++ {
		value, hasValue := strings.CutPrefix(args[i], "--instance=")
		switch {
		case hasValue:
			name = value
		case args[i] == "--instance" && i+1 < len(args):
			i++
			name = args[i]
		case !strings.HasPrefix(args[i], "-"):
			return name, args[i]
		}
	}
	return name, ""
}

// helpCmd shows the help of a command, like --help.
type helpCmd struct {
	Command []string `arg:"" optional:"" help:"Command, such as 'svc start'. Default: rdd itself."`
}

// Run implements the command.
func (c *helpCmd) Run(s *session) error {
	args := append([]string{"--instance", s.instance.Name}, c.Command...)
	return statusError(run(append(args, "--help"), s.in, s.out, s.err))
}
