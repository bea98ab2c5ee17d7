package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// cli declares the command line.
type cli struct {
	Instance string `help:"Instance to use. Instances run side by side, each with its own daemon, engine and data. Default: $$RDD_INSTANCE, else 2." placeholder:"NAME" predictor:"instance"`

	ShowVersion versionFlag `name:"version" help:"Show the version of rdd, like the command version."`

	Svc     svcCmd        `cmd:"" aliases:"service" help:"Manage the daemon and its control plane."`
	Set     setCmd        `cmd:"" help:"Set properties of the App, and wait until they are applied."`
	Start   startCmd      `cmd:"" help:"Start the container engine (running=true)."`
	Stop    stopCmd       `cmd:"" help:"Stop the container engine (running=false)."`
	Run     runCmd        `cmd:"" help:"Run a program with DOCKER_HOST and KUBECONFIG set to this engine and its API. Starts the engine if needed. Exits with the program's exit code."`
	Env     envCmd        `cmd:"" help:"Print the commands with which a shell sets DOCKER_HOST and KUBECONFIG."`
	Context contextCmd    `cmd:"" help:"Manage the docker context of this instance."`
	Kube    kubeconfigCmd `cmd:"" name:"kubeconfig" help:"Print the kubeconfig of this instance, or add it to yours."`
	Status  statusCmd     `cmd:"" help:"Show the state of the daemon, engine, VM and mirrors. Exits with 1 if the daemon does not answer or a part is unavailable."`
	Logs    logsCmd       `cmd:"" help:"Show the log of a container."`
	Exec    execCmd       `cmd:"" help:"Run a program in a container. Exits with the program's exit code."`
	Attach  attachCmd     `cmd:"" help:"Connect to the main process of a container. Exits with the container's exit code."`
	Top     topCmd        `cmd:"" help:"Show the CPU, memory, network and disk usage of running containers, refreshed every two seconds."`
	Pull    pullCmd       `cmd:"" help:"Pull an image, and show its layers."`
	Push    pushCmd       `cmd:"" help:"Push an image to its registry, and show its layers."`
	Prune   pruneCmd      `cmd:"" help:"Remove stopped containers, unused networks and untagged images, after a preview."`
	Shell   shellCmd      `cmd:"" help:"Run a program in the VM, or a login shell. Exits with the program's exit code."`
	VM      vmCmd         `cmd:"" name:"vm" help:"Manage the VM of vm.driver=lima."`
	Ctl     ctlCmd        `cmd:"" passthrough:"" help:"Run kubectl against this instance. Starts the daemon if none runs."`
	Join    joinCmd       `cmd:"" help:"Join a hub: a Kubernetes API in which many machines show their engines. The machine works without it, and while it is away."`
	Leave   leaveCmd      `cmd:"" help:"Leave the hub that this machine has joined."`
	Hub     hubCmd        `cmd:"" help:"Administer a hub: make a Kubernetes cluster one, and add, list and remove machines."`
	UI      uiCmd         `cmd:"" name:"ui" help:"Open the page of this instance in a browser: containers, images, volumes, networks, logs, shells and the supervision tree."`
	Tree    treeCmd       `cmd:"" help:"Show the live supervision tree of the daemon."`
	Doctor  doctorCmd     `cmd:"" help:"Check files, disk, daemon, datastore and engine, and compare the mirrors with the engine. Exits with 1 if a check fails."`
	Support supportCmd    `cmd:"" name:"support-bundle" help:"Collect logs, state and machine details in one file for a bug report, with secrets removed. Works even if the daemon is stopped or hangs."`
	Version versionCmd    `cmd:"" help:"Show the versions of rdd and of the running daemon."`
	Help    helpCmd       `cmd:"" help:"Show the help of a command, like --help."`

	Completion completionCmd `cmd:"" help:"Print the script that lets a shell complete rdd."`
	Complete   completeCmd   `cmd:"" name:"__complete" hidden:"" passthrough:"" help:"Complete a command line. The scripts of completion run this command."`

	HostAgent hostAgentCmd `cmd:"" name:"hostagent" hidden:"" help:"Run a VM. The daemon starts this command."`
	Virtiofsd virtiofsdCmd `cmd:"" name:"virtiofsd" hidden:"" help:"Share directories with a VM. The host agent starts this command."`
}

// newParser returns the parser of command lines. exit is called after a help is shown.
func newParser(commands *cli, out, errOut io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(commands,
		kong.Name("rdd"),
		kong.Description("A private container engine, mirrored into a Kubernetes API."),
		kong.Writers(out, errOut),
		kong.Exit(exit),
		kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
}

// run executes the program and returns its exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	var commands cli
	helpShown := false
	parser, err := newParser(&commands, out, errOut, func(int) { helpShown = true })
	if err != nil {
		return report(errOut, instance.Instance{}, fmt.Errorf("set up the command line: %w", err))
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if helpShown {
		return exitDone
	}
	if err != nil {
		inst, err := withHint(args, err)
		return report(errOut, inst, err)
	}
	inst, err := instance.New(commands.Instance)
	if err != nil {
		return report(errOut, instance.Instance{}, &usageError{err.Error()})
	}
	s := &session{in: in, out: out, err: errOut, instance: inst}
	if s.ownsSignals(parsed.Command()) {
		s.ctx = context.Background()
		return s.report(parsed.Run(s))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// The second signal ends a process that does not follow the first one.
	context.AfterFunc(ctx, stop)
	s.ctx = ctx
	return s.report(s.interrupted(parsed.Run(s)))
}

// printHelp prints a command's help. The help of set also lists the properties.
func printHelp(options kong.HelpOptions, parsed *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, parsed); err != nil {
		return err
	}
	if selected := parsed.Selected(); selected == nil || selected.Name != "set" {
		return nil
	}
	name := ""
	for _, step := range parsed.Path {
		if step.Flag != nil && step.Flag.Name == "instance" {
			name, _ = parsed.FlagValue(step.Flag).(string)
		}
	}
	return printProperties(parsed.Stdout, name)
}
