package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/autostart"
)

type svcStatusCmd struct {
	output
}

// Run implements the command.
func (c *svcStatusCmd) Run(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	status, err := s.daemonState(ctx)
	if err != nil {
		return err
	}
	if args, err := s.instance.LoadArgs(); err == nil {
		status.Environment = args.Environment.Shown()
	}
	if service, err := autostart.New(s.instance); err == nil {
		state := service.State()
		status.Autostart = &state
	}
	err = s.show(c.output, status, func() error {
		return s.table(append(status.rows(), [2]string{"next", status.next()}))
	})
	if err == nil && status.State != lifecycle.StateRunning {
		err = statusError(exitError)
	}
	return err
}

// rows returns the lines that show a daemon.
func (d daemonState) rows() [][2]string {
	rows := [][2]string{{"instance", d.Instance}, {"daemon", string(d.State)}}
	switch {
	case d.PID != 0:
		rows[1][1] += fmt.Sprintf(" (pid %d)", d.PID)
	case d.Crashed != 0 && d.Doing == "":
		rows[1][1] = fmt.Sprintf("not running: it crashed or was killed (pid %d)", d.Crashed)
	}
	rows = append(rows, [2]string{"version", d.Version})
	if d.versionsDiffer() {
		rows = append(rows, [2]string{"note", d.versionNote()})
	}
	if !d.Since.IsZero() {
		ago := duration.HumanDuration(time.Since(d.Since))
		rows = append(rows, [2]string{"since", d.Since.Local().Format(time.RFC3339) + " (" + ago + ")"})
	}
	rows = append(rows, [2]string{"now", d.Doing}, [2]string{"server", d.Server}, [2]string{"error", d.Error})
	if d.Autostart != nil {
		rows = append(rows, [2]string{"autostart", d.Autostart.String()})
	}
	for _, variable := range d.Environment {
		rows = append(rows, [2]string{"environment", variable})
	}
	return rows
}

// next returns what a user can do next about the daemon.
func (d daemonState) next() string {
	switch {
	case d.Doing != "":
		return ""
	case d.State == lifecycle.StateStopped:
		return "start the daemon with 'rdd svc start'"
	case d.State == lifecycle.StateHung:
		return hungNext
	default:
		return ""
	}
}
