package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

type versionCmd struct {
	output
}

// versions are the versions of this program and of the daemon.
type versions struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Daemon is nil if no daemon runs.
	Daemon *daemonVersion `json:"daemon,omitempty"`
}

type daemonVersion struct {
	PID     int    `json:"pid"`
	Version string `json:"version"`
	// Differs is set if the daemon has another version than this program.
	Differs bool `json:"differs"`
}

// Run implements the command. It succeeds without a daemon, and with one that hangs.
func (c *versionCmd) Run(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	v := versions{Version: buildVersion(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	daemon, err := s.daemonState(ctx)
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	if err == nil && daemon.PID != 0 {
		v.Daemon = &daemonVersion{daemon.PID, daemon.Version, daemon.versionsDiffer()}
	}
	return s.show(c.output, v, func() error {
		fmt.Fprintf(s.out, "rdd %s (%s, %s)\n", v.Version, v.Go, v.Platform)
		if v.Daemon == nil {
			return nil
		}
		fmt.Fprintf(s.out, "daemon %s (pid %d, %s)\n", v.Daemon.Version, daemon.PID, daemon.State)
		if v.Daemon.Differs {
			s.note(s.out, daemon.versionNote())
		}
		return nil
	})
}

// versionsDiffer reports whether the daemon has another version than this program.
func (d daemonState) versionsDiffer() bool {
	return d.PID != 0 && d.Version != "" && d.Version != d.ClientVersion
}

// versionNote names both versions, and says what to do.
func (d daemonState) versionNote() string {
	return fmt.Sprintf("this rdd has version %s, and the daemon has version %s: 'rdd svc restart' restarts the daemon with this version and keeps the engine running", d.ClientVersion, d.Version)
}

// otherVersion returns a note if the daemon has another version than this program. The
// note is empty if the version cannot be read.
func (s *session) otherVersion(ctx context.Context, c *client.Client) string {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	version, err := c.Version(ctx)
	pid, _, _ := instance.Running(s.instance.PidFile)
	d := daemonState{lifecycle.Status{PID: pid, Version: version}, buildVersion()}
	if err != nil || !d.versionsDiffer() {
		return ""
	}
	return d.versionNote()
}

// versionFlag prints the version, like the command.
type versionFlag bool

// BeforeReset implements the hook of kong.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	if _, err := fmt.Fprintf(app.Stdout, "rdd %s\n", buildVersion()); err != nil {
		return err
	}
	app.Exit(exitDone)
	return nil
}

// buildVersion returns the version that the Go tool recorded: the version of the
// module, or the commit of the build.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return cmp.Or(info.Main.Version, "(devel)")
}
