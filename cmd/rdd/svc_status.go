package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
)

// output has the flag that selects the output format.
type output struct {
	Output string `short:"o" enum:"table,json" default:"table" help:"Output format: table or json."`
}

func (o output) json() bool { return o.Output == "json" }

type svcStatusCmd struct {
	output
}

// Run implements the command.
func (c *svcStatusCmd) Run(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	status, err := s.manager(func(string) {}).Status(ctx)
	if err != nil {
		return err
	}
	if args, err := s.instance.LoadArgs(); err == nil {
		status.Environment = args.Environment.Shown()
	}
	if c.json() {
		err = s.printJSON(status)
	} else {
		err = s.table(daemonRows(status))
	}
	if err == nil && status.State != lifecycle.StateRunning {
		err = statusError(exitError)
	}
	return err
}

// daemonRows returns the lines that show a daemon.
func daemonRows(status lifecycle.Status) [][2]string {
	rows := [][2]string{{"instance", status.Instance}, {"daemon", string(status.State)}}
	if status.PID != 0 {
		rows[1][1] += fmt.Sprintf(" (pid %d)", status.PID)
	}
	rows = append(rows, [2]string{"version", status.Version})
	if !status.Since.IsZero() {
		ago := duration.HumanDuration(time.Since(status.Since))
		rows = append(rows, [2]string{"since", status.Since.Local().Format(time.RFC3339) + " (" + ago + ")"})
	}
	rows = append(rows, [2]string{"now", status.Doing}, [2]string{"server", status.Server}, [2]string{"error", status.Error})
	for _, variable := range status.Environment {
		rows = append(rows, [2]string{"environment", variable})
	}
	flag := " --instance " + status.Instance
	switch status.State {
	case lifecycle.StateStopped:
		rows = append(rows, [2]string{"next", "start the daemon with 'rdd" + flag + " svc start'"})
	case lifecycle.StateHung:
		rows = append(rows, [2]string{"next", "see 'rdd" + flag + " svc logs', then restart the daemon with 'rdd" + flag + " svc restart'"})
	case lifecycle.StateStarting, lifecycle.StateRunning:
	}
	return rows
}

// table prints names and values, and leaves out rows without a value.
func (s *session) table(rows [][2]string) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if row[1] != "" {
			fmt.Fprintf(w, "%s:\t%s\n", row[0], s.typeable(row[1]))
		}
	}
	return w.Flush()
}
