package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/term"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/inventory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmstatus"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// vmCmd holds the commands for the VM of vm.driver=lima.
type vmCmd struct {
	Status  vmStatusCmd  `cmd:"" help:"Show the VM: processes, phases, image, guest. Works without a daemon. Exits with 0 if the VM runs and answers, else with 1."`
	Logs    vmLogsCmd    `cmd:"" help:"Show the log of the VM's host agent, or the guest's console."`
	Restart vmRestartCmd `cmd:"" help:"Restart the VM, and wait until the engine is ready."`
	Reset   vmResetCmd   `cmd:"" help:"Replace the disk of the VM. Deletes all its images, containers, volumes and networks."`
}

// vmPaths returns the paths of the instance's VM.
func (s *session) vmPaths() limahost.Paths {
	return limahost.Paths{LimaHome: s.instance.LimaHome, LogDir: s.instance.LogDir}
}

// vmReport inspects the VM, without the daemon.
func (s *session) vmReport() (vmstatus.Report, error) {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	return vmstatus.Inspect(ctx, s.instance.Name, s.vmPaths())
}

type vmStatusCmd struct {
	output
}

// Run implements the command.
func (c *vmStatusCmd) Run(s *session) error {
	report, err := s.vmReport()
	if err != nil {
		return err
	}
	err = s.show(c.output, report, func() error { return s.table(report.Rows(time.Now())) })
	if err == nil && report.State != vmstatus.StateRunning {
		err = statusError(exitError)
	}
	return err
}

type vmLogsCmd struct {
	Follow bool   `short:"f" help:"Keep printing new lines."`
	Tail   int    `short:"n" aliases:"lines" help:"Number of lines to show from the end; -1 for all." default:"200"`
	Source string `enum:"agent,console" default:"agent" help:"agent: log of the host agent, which starts and watches the VM. console: output of the guest's kernel and init."`
}

// Run implements the command.
func (c *vmLogsCmd) Run(s *session) error {
	log := s.vmPaths().AgentLog()
	if c.Source == "console" {
		log = s.vmPaths().Console()
	}
	if _, err := os.Stat(log); errors.Is(err, fs.ErrNotExist) && !c.Follow {
		return fmt.Errorf("the VM of instance %q has no %s log yet: the host agent will write it to %s", s.instance.Name, c.Source, log)
	}
	end, err := logtail.Tail(log, c.Tail, s.out)
	if err != nil || !c.Follow {
		return err
	}
	return errors.Join(logtail.Follow(s.ctx, log, end, s.out), s.ctx.Err())
}

type vmRestartCmd struct {
	waiting
}

// Run implements the command.
func (c *vmRestartCmd) Run(s *session) error {
	_, err := s.apply(change{assignments: []string{"vm.restart=" + uniqueStamp()}, check: func(app *appv1.App) error {
		if driver := driverOf(app); driver != appv1.DriverLima && driver != "" {
			return fmt.Errorf("vm.driver=%s has no VM to restart: %s", driver, insteadOfVM(driver))
		}
		if !app.Spec.Running {
			return errors.New("no VM runs: start it with 'rdd start'")
		}
		return nil
	}}, c.waiting)
	return err
}

type vmResetCmd struct {
	confirmation
	waiting
}

// Run implements the command.
func (c *vmResetCmd) Run(s *session) error {
	if err := s.mustExist(); err != nil {
		return err
	}
	if _, err := os.Stat(s.vmPaths().Dir()); errors.Is(err, fs.ErrNotExist) {
		result := changed{Instance: s.instance.Name, Changes: []property.Change{}, Settled: true}
		return s.show(c.output, result, s.say("instance %q has no VM to reset", s.instance.Name))
	}
	err := s.confirm(c.confirmation, func() loss {
		return loss{
			what:    fmt.Sprintf("this makes a new disk for the VM of instance %q, and deletes", s.instance.Name),
			parts:   s.inventory(inventory.Machine).Lines(),
			command: "rdd vm reset",
		}
	})
	if err != nil {
		return err
	}
	later := false
	_, err = s.apply(change{assignments: []string{"vm.reset=" + uniqueStamp()}, check: func(app *appv1.App) error {
		driver := driverOf(app)
		later = !app.Spec.Running || (driver != appv1.DriverLima && driver != "")
		return nil
	}}, c.waiting)
	if err == nil && later {
		fmt.Fprintln(s.quiet(c.structured()), "the VM is stopped: its disk is replaced at the next start")
	}
	return err
}

// driverOf returns the driver in use, else the one in the spec. It is empty if rdd
// has yet to pick one.
func driverOf(app *appv1.App) appv1.DriverName {
	if app.Status.VM.Driver != "" {
		return app.Status.VM.Driver
	}
	if app.Spec.VM.Driver == appv1.DriverAuto {
		return ""
	}
	return app.Spec.VM.Driver
}

// insteadOfVM returns what a user of a driver without a VM can do.
func insteadOfVM(driver appv1.DriverName) string {
	if driver == appv1.DriverNative {
		return "the engine runs directly on this machine: use its shell, and 'rdd stop' and 'rdd start'"
	}
	return "the engine is external, and rdd never changes it"
}

// uniqueStamp returns the current time as text; each call returns another one.
func uniqueStamp() string { return time.Now().UTC().Format(time.RFC3339Nano) }

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
