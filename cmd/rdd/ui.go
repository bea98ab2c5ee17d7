package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/ui"
)

type uiCmd struct {
	Print  bool `xor:"action" help:"Print an address that logs a browser in, once and within 30 seconds, instead of opening a browser."`
	Revoke bool `xor:"action" help:"End all sessions of the page, with their shells and logs."`
}

// Run implements the command. It starts no daemon.
func (c *uiCmd) Run(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	if c.Revoke {
		return s.endPageSessions(ctx)
	}
	daemon, err := s.runningClient()
	if _, none := errors.AsType[*client.NoDaemonError](err); none {
		return fmt.Errorf("open the page: no daemon runs for instance %q: 'rdd start' starts it, with the engine", s.instance.Name)
	}
	if err != nil {
		return err
	}
	login, err := daemon.LoginToPage(ctx)
	if err != nil {
		return err
	}
	return c.open(s, login, browserOpener(runtime.GOOS, os.Getenv, exec.LookPath))
}

// open opens the page with the program opener, or prints an address.
func (c *uiCmd) open(s *session, login ui.Login, opener string) error {
	if login.Missing {
		s.note(s.err, "the daemon's program was built without npm and has no page: install npm, and run 'make build' and 'rdd svc restart'")
		opener = ""
	}
	if c.Print || opener == "" {
		if !c.Print && !login.Missing {
			s.note(s.err, "no browser can be opened here; open this address within 30 seconds:")
		}
		fmt.Fprintln(s.out, login.URL)
		return nil
	}
	if err := openBrowser(opener, login.URL); err != nil {
		s.note(s.err, fmt.Sprintf("the browser was not opened: %v; open this address within 30 seconds:", err))
		fmt.Fprintln(s.out, login.URL)
		return nil
	}
	fmt.Fprintln(s.out, login.Page)
	return nil
}

// endPageSessions ends all sessions of the page, also without a daemon.
func (s *session) endPageSessions(ctx context.Context) error {
	daemon, err := s.runningClient()
	if _, none := errors.AsType[*client.NoDaemonError](err); none {
		if s.instance.Exists() {
			err := s.manager(func(string) {}).Exclusively(ctx, "ending the sessions of the page", func() error {
				return ui.RemoveSessions(s.instance.TLSDir)
			})
			if err != nil {
				return err
			}
		}
		fmt.Fprintln(s.out, "the page has no sessions")
		return nil
	}
	if err != nil {
		return err
	}
	count, err := daemon.EndPageSessions(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "ended %d sessions of the page\n", count)
	return nil
}

// browserOpener returns the program that opens a browser; empty if there is none, or no
// display.
func browserOpener(goos string, getenv func(string) string, lookPath func(string) (string, error)) string {
	name := "xdg-open"
	if goos == "darwin" {
		name = "open"
	} else if getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "" {
		return ""
	}
	path, err := lookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// browserTimeout is how long a program that opens a browser may take. One that still runs
// then is the browser itself.
const browserTimeout = 5 * time.Second

// openBrowser runs the program that opens a browser, which survives this command.
func openBrowser(program, address string) error {
	cmd := exec.Command(program, address)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(browserTimeout):
		return nil
	}
}
