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

// cli is the command line.
type cli struct {
	Instance string `help:"Instance to use; several live side by side and share nothing. Default: $$RDD_INSTANCE, or else 2." placeholder:"NAME"`

	Svc     svcCmd     `cmd:"" aliases:"service" help:"The control plane: create, start, stop, look after."`
	Set     setCmd     `cmd:"" help:"Set properties of the App, and wait until they have happened."`
	Start   startCmd   `cmd:"" help:"Start the container engine: set running=true."`
	Stop    stopCmd    `cmd:"" help:"Stop the container engine: set running=false."`
	Status  statusCmd  `cmd:"" help:"Show daemon, engine and mirrors on one screen. Exits with 1 when the daemon does not answer."`
	Shell   shellCmd   `cmd:"" help:"Run a program in the VM, or a login shell. Exits with the program's code."`
	VM      vmCmd      `cmd:"" name:"vm" help:"The VM of vm.driver=lima: status, logs, restart, reset."`
	Ctl     ctlCmd     `cmd:"" passthrough:"" help:"kubectl against this instance, starting the daemon when needed."`
	Tree    treeCmd    `cmd:"" help:"Show the live supervision tree."`
	Doctor  doctorCmd  `cmd:"" help:"Examine the instance: files, disk, daemon, datastore, engine, and whether mirrors and engine are the same. Exits with 1 when it finds something."`
	Support supportCmd `cmd:"" name:"support-bundle" help:"Pack logs, states, dumps and facts of the machine into one file for a report, without secrets. Works with a dead and with a hung daemon."`
	Version versionCmd `cmd:"" help:"Show the version."`

	HostAgent hostAgentCmd `cmd:"" name:"hostagent" hidden:"" help:"Make a VM and look after it; the daemon starts this."`
}

// run is the program; it returns the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	var commands cli
	helped := false
	parser, err := kong.New(&commands,
		kong.Name("rdd"),
		kong.Description("A container engine, and a Kubernetes API to look at it and steer it."),
		kong.Writers(out, errOut),
		kong.Exit(func(int) { helped = true }),
		kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return report(errOut, fmt.Errorf("set up the command line: %w", err))
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if helped {
		return exitDone
	}
	if err != nil {
		return report(errOut, err)
	}
	inst, err := instance.New(commands.Instance)
	if err != nil {
		return report(errOut, &usageError{err.Error()})
	}
	s := &session{in: in, out: out, err: errOut, instance: inst}
	if s.ownsSignals(parsed.Command()) {
		s.ctx = context.Background()
		return report(errOut, parsed.Run(s))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	s.ctx = ctx
	return report(errOut, parsed.Run(s))
}

// printHelp adds to the help of set what can be set.
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
