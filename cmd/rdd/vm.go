package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmlook"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// vmCmd holds the commands for the VM of vm.driver=lima.
type vmCmd struct {
	Status  vmStatusCmd  `cmd:"" help:"Show the VM: processes, phases, image, guest. Needs no daemon. Exits with 0 when the VM runs and answers, else with 1."`
	Logs    vmLogsCmd    `cmd:"" help:"Show the log of the VM's host agent, or the guest's console."`
	Restart vmRestartCmd `cmd:"" help:"Stop the VM and start it again, and wait until that has happened."`
	Reset   vmResetCmd   `cmd:"" help:"Give the VM a new disk. Images, containers and volumes in it go."`
}

// vmPaths are the files of the instance's VM.
func (s *session) vmPaths() limahost.Paths {
	return limahost.Paths{LimaHome: s.instance.LimaHome, LogDir: s.instance.LogDir}
}

// lookAtVM finds out how the VM is, without the daemon.
func (s *session) lookAtVM() (vmlook.Report, error) {
	ctx, cancel := context.WithTimeout(s.ctx, lookTimeout)
	defer cancel()
	return vmlook.Look(ctx, s.instance.Name, s.vmPaths())
}

type vmStatusCmd struct {
	output
}

// Run implements the command.
func (c *vmStatusCmd) Run(s *session) error {
	report, err := s.lookAtVM()
	if err != nil {
		return err
	}
	if c.json() {
		err = s.printJSON(report)
	} else {
		err = table(s.out, report.Rows(time.Now()))
	}
	if err == nil && report.State != vmlook.StateRunning {
		err = statusError(exitError)
	}
	return err
}

type vmLogsCmd struct {
	Follow bool   `short:"f" help:"Go on with what is written later."`
	Lines  int    `short:"n" help:"How many of the last lines to show; -1 for all." default:"200"`
	Source string `enum:"agent,console" default:"agent" help:"agent: the host agent, which brings the VM up and watches it. console: what the guest's kernel and init print."`
}

// Run implements the command.
func (c *vmLogsCmd) Run(s *session) error {
	log := s.vmPaths().AgentLog()
	if c.Source == "console" {
		log = s.vmPaths().Console()
	}
	if _, err := os.Stat(log); errors.Is(err, fs.ErrNotExist) && !c.Follow {
		return fmt.Errorf("the VM of instance %q has no log of its %s yet; it will be %s", s.instance.Name, c.Source, log)
	}
	end, err := logtail.Tail(log, c.Lines, s.out)
	if err != nil || !c.Follow {
		return err
	}
	return logtail.Follow(s.ctx, log, end, s.out)
}

type vmRestartCmd struct {
	waiting
}

// Run implements the command.
func (c *vmRestartCmd) Run(s *session) error {
	_, err := s.apply(change{assignments: []string{"vm.restart=" + stamp()}, check: func(app *appv1.App) error {
		if driver := driverOf(app); driver != appv1.DriverLima && driver != "" {
			return fmt.Errorf("vm.driver=%s has no VM that could be restarted; %s", driver, insteadOfVM(driver))
		}
		if !app.Spec.Running {
			return errors.New("no VM runs; start it with 'rdd start'")
		}
		return nil
	}}, c.waiting)
	return err
}

type vmResetCmd struct {
	Yes bool `short:"y" help:"Do not ask."`
	waiting
}

// Run implements the command.
func (c *vmResetCmd) Run(s *session) error {
	if _, err := os.Stat(s.vmPaths().Dir()); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(s.out, "instance %q has no VM; there is nothing to reset\n", s.instance.Name)
		return nil
	}
	if err := c.confirm(s); err != nil {
		return err
	}
	later := false
	_, err := s.apply(change{assignments: []string{"vm.reset=" + stamp()}, check: func(app *appv1.App) error {
		driver := driverOf(app)
		later = !app.Spec.Running || (driver != appv1.DriverLima && driver != "")
		return nil
	}}, c.waiting)
	if err == nil && later {
		fmt.Fprintln(s.out, "the VM does not run; its disk goes, and a new one is made, when it is started")
	}
	return err
}

// confirm asks, on a terminal; elsewhere the flag must say it.
func (c *vmResetCmd) confirm(s *session) error {
	if c.Yes {
		return nil
	}
	what := fmt.Sprintf("a new disk for the VM of instance %q: all images, containers and volumes in it go", s.instance.Name)
	if !isTerminal(s.in) {
		return &usageError{what + "; say --yes if that is what you want"}
	}
	fmt.Fprintf(s.err, "This makes %s.\nGo on? [y/N] ", what)
	answer, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was changed")
}

// driverOf is the driver in use, else the one that is asked for; empty when rdd
// will pick one.
func driverOf(app *appv1.App) appv1.DriverName {
	if app.Status.VM.Driver != "" {
		return app.Status.VM.Driver
	}
	if app.Spec.VM.Driver == appv1.DriverAuto {
		return ""
	}
	return app.Spec.VM.Driver
}

// insteadOfVM says what a user of a driver without a VM can do.
func insteadOfVM(driver appv1.DriverName) string {
	if driver == appv1.DriverNative {
		return "the engine runs directly on this machine: use its shell, and 'rdd stop' and 'rdd start'"
	}
	return "the engine belongs to somebody else, and rdd never touches it"
}

// stamp is a text that no other call gives.
func stamp() string { return time.Now().UTC().Format(time.RFC3339Nano) }

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
