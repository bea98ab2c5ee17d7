package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/inventory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/autostart"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

type svcListCmd struct {
	Output string `short:"o" enum:"table,json,yaml,name" default:"table" help:"Output format: table, json, yaml or name."`
}

// listed is one instance of the list.
type listed struct {
	Name string `json:"name"`
	// State of the daemon.
	State lifecycle.State `json:"state"`
	PID   int             `json:"pid,omitempty"`
	// Version of the daemon that runs.
	Version string    `json:"version,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Doing is what another command is doing with the instance.
	Doing string `json:"doing,omitempty"`
	// Engine is the state of the engine.
	Engine listedEngine `json:"engine"`
	// DiskBytes is the space of all files. It is incomplete if DiskPartial is set.
	DiskBytes   int64 `json:"diskBytes"`
	DiskPartial bool  `json:"diskPartial,omitempty"`
	// Autostart is set if the daemon starts at login.
	Autostart bool   `json:"autostart"`
	Dir       string `json:"dir"`
	// Error is the reason why the daemon does not answer.
	Error string `json:"error,omitempty"`

	disk string
}

// listedEngine is the state of an engine in the list.
type listedEngine string

// The states of an engine.
const (
	engineRunning      listedEngine = "running"
	engineStopped      listedEngine = "stopped"
	engineIdle         listedEngine = "idle"
	engineStarting     listedEngine = "starting"
	engineStopping     listedEngine = "stopping"
	engineFailed       listedEngine = "failed"
	engineDisconnected listedEngine = "disconnected"
	engineUnknown      listedEngine = "unknown"
)

// Run implements the command. It needs no daemon.
func (c *svcListCmd) Run(s *session) error {
	list, err := instance.List()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	rows := make([]listed, len(list))
	var group errgroup.Group
	for i, inst := range list {
		group.Go(func() error {
			one := *s
			one.instance = inst
			rows[i] = one.listed(ctx)
			return nil
		})
	}
	_ = group.Wait() // A row has its own error.
	return c.print(s, rows)
}

func (c *svcListCmd) print(s *session, rows []listed) error {
	switch c.Output {
	case "json":
		return s.printJSON(rows)
	case "yaml":
		return s.printYAML(rows)
	case "name":
		for _, row := range rows {
			fmt.Fprintln(s.out, row.Name)
		}
		return nil
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.err, "there are no instances: 'rdd start' creates one")
		return nil
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tDAEMON\tVERSION\tENGINE\tDISK\tAUTOSTART")
	for _, row := range rows {
		atLogin := "off"
		if row.Autostart {
			atLogin = "on"
		}
		fmt.Fprintln(table, strings.Join([]string{
			row.Name, string(row.State), cmp.Or(shortVersion(row.Version), "-"), string(row.Engine), row.disk, atLogin,
		}, "\t"))
	}
	return table.Flush()
}

// listed inspects the session's instance.
func (s *session) listed(ctx context.Context) listed {
	row := listed{Name: s.instance.Name, Dir: s.instance.Dir}
	usage := make(chan filetree.Usage, 1)
	go func() { usage <- s.instance.Usage(ctx) }()
	status, err := s.manager(func(string) {}).Status(ctx)
	row.State, row.PID, row.Version, row.Since, row.Doing, row.Error = status.State, status.PID, status.Version, status.Since, status.Doing, status.Error
	if err != nil {
		row.State, row.Error = "unknown", err.Error()
	}
	row.Engine = s.listedEngine(ctx, status)
	if service, err := autostart.New(s.instance); err == nil {
		row.Autostart = service.State().Enabled
	}
	used := <-usage
	row.DiskBytes, row.DiskPartial, row.disk = used.Bytes, used.Partial, inventory.Size(used)
	return row
}

// listedEngine returns the state that the daemon reports. Without a daemon that answers,
// it inspects the processes of rdd's own engines.
func (s *session) listedEngine(ctx context.Context, daemon lifecycle.Status) listedEngine {
	if daemon.State == lifecycle.StateRunning {
		if c, err := client.New(s.instance); err == nil {
			if app, err := c.App(ctx); err == nil {
				return reportedEngine(app.Status)
			}
		}
	}
	runs, err := s.engine(func(string) {}).Runs(ctx)
	switch {
	case err != nil:
		return engineUnknown
	case runs:
		return engineRunning
	}
	return engineStopped
}

// reportedEngine returns the state of the engine in the status of the App.
func reportedEngine(status appv1.AppStatus) listedEngine {
	running := meta.FindStatusCondition(status.Conditions, appv1.ConditionRunning)
	if running == nil {
		return engineUnknown
	}
	switch running.Reason {
	case appv1.ReasonStopped:
		return engineStopped
	case appv1.ReasonIdle:
		return engineIdle
	case appv1.ReasonStarting:
		return engineStarting
	case appv1.ReasonStopping:
		return engineStopping
	case appv1.ReasonStartFailed, appv1.ReasonStopFailed:
		return engineFailed
	case appv1.ReasonStarted:
		ready := meta.FindStatusCondition(status.Conditions, appv1.ConditionEngineReady)
		if ready != nil && (ready.Reason == appv1.ReasonDisconnected || ready.Reason == appv1.ReasonConnectFailed) {
			return engineDisconnected
		}
		return engineRunning
	}
	return engineUnknown
}

// pseudoVersion matches a version without a tag, as in go.dev/ref/mod#pseudo-versions.
var pseudoVersion = regexp.MustCompile(`^v[0-9].*[-.][0-9]{14}-([0-9a-f]{12})(\+.*)?$`)

// shortVersion returns the commit of a version without a tag, and any other version
// unchanged.
func shortVersion(version string) string {
	return pseudoVersion.ReplaceAllString(version, "$1$2")
}
