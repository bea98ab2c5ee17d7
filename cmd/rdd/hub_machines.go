package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

type hubAddCmd struct {
	hubFlags
	serverFlags
	Name   string `arg:"" help:"Name of the machine, and of its namespace on the hub."`
	User   string `help:"Kubernetes user of the machine, who has credentials already. By default the machine gets a ServiceAccount and a token." placeholder:"NAME"`
	Force  bool   `help:"Also add the machine to a hub of a newer rdd, which may need more than this rdd adds."`
	Output string `help:"File for the join file, instead of standard output. Only you can read it." placeholder:"FILE" predictor:"file"`
}

// Run implements the command. Only the join file goes to standard output.
func (c *hubAddCmd) Run(s *session) error {
	if err := usage(c.check()); err != nil {
		return err
	}
	authority, err := c.serverFlags.check()
	if err != nil {
		return err
	}
	return s.onHub(c.hubFlags, func(ctx context.Context, hub *cluster) error {
		if err := c.checkVersion(ctx, hub); err != nil {
			return err
		}
		var added *machines.Added
		err := s.withSteps(func(report func(string)) (err error) {
			added, err = machines.AddAndReport(ctx, hub.client, c.Name, c.User, report)
			return err
		})
		if err != nil {
			return err
		}
		server := c.server(hub.config, authority)
		file, err := machines.JoinFile(server, added)
		if err != nil {
			return err
		}
		if err := c.write(s, file); err != nil {
			return err
		}
		for _, line := range c.messages(server.Host, added) {
			printWrapped(s.err, s.typeable(line))
		}
		return nil
	})
}

// check returns an error for a name that is not valid, before the cluster is asked.
func (c *hubAddCmd) check() error {
	if err := machines.CheckName(c.Name); err != nil || c.User == "" {
		return err
	}
	return machines.CheckUser(c.User)
}

// checkVersion returns an error for a hub of a newer rdd. The objects of its machines may
// differ from those that this one creates.
func (c *hubAddCmd) checkVersion(ctx context.Context, hub *cluster) error {
	if c.Force {
		return nil
	}
	return orForced(install.CheckVersion(ctx, hub.client, buildVersion()), "add the machine")
}

func (c *hubAddCmd) write(s *session, file []byte) error {
	if c.Output == "" {
		if _, err := s.out.Write(file); err != nil {
			return fmt.Errorf("print the join file: %w", err)
		}
		return nil
	}
	if err := instance.ReplaceFile(c.Output, file); err != nil {
		return fmt.Errorf("machine %s was added, but its join file could not be written: %w: repeat the command with another --output", c.Name, err)
	}
	return nil
}

// messages returns what an administrator should know about a machine that was added.
func (c *hubAddCmd) messages(server string, added *machines.Added) []string {
	verb, file := "added to", "FILE"
	if added.Existed {
		verb = "repaired on"
	}
	if c.Output != "" {
		file = filepath.Base(c.Output)
	}
	lines := []string{fmt.Sprintf("machine %s was %s the hub; its mirrors will be in the namespace %[1]s", added.Name, verb)}
	if added.Token == "" {
		lines = append(lines, fmt.Sprintf("the join file has no credentials: add those of the user %s to it, for instance with 'kubectl config set-credentials %s --kubeconfig %s --client-certificate CERT --client-key KEY --embed-certs'", added.User, added.Name, cmp.Or(c.Output, file)))
	} else {
		lines = append(lines, fmt.Sprintf("the join file is a secret; its token is valid until %s, and the machine renews it before", added.Expires.Local().Format("2006-01-02 15:04")))
	}
	lines = append(lines, "next: copy the join file to the machine, and run 'rdd join "+file+"' there")
	if isLoopback(server) {
		lines = append(lines, fmt.Sprintf("warning: the server %s in the join file can be reached from this machine only: replace it there, or repeat the command with --server=URL and an address that other machines reach", server))
	}
	return lines
}

type hubMachinesCmd struct {
	hubFlags
	output
}

// Run implements the command.
func (c *hubMachinesCmd) Run(s *session) error {
	return s.onHub(c.hubFlags, func(ctx context.Context, hub *cluster) error {
		list, err := machines.List(ctx, hub.client, hub.clock.Now)
		if err != nil {
			return err
		}
		return s.show(c.output, list, func() error { return s.printMachines(list, hub.clock.Now()) })
	})
}

// printMachines prints a table. now is on the clock of the hub, like the times in the list.
func (s *session) printMachines(list []machines.Listed, now time.Time) error {
	if len(list) == 0 {
		fmt.Fprintln(s.err, s.typeable("the hub has no machines: 'rdd hub add NAME' adds one"))
		return nil
	}
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tREADY\tREASON\tENGINE\tCONTAINERS\tLAST SEEN")
	for _, row := range list {
		containers, seen := "-", "never"
		if row.Counts != nil {
			containers = strconv.Itoa(int(row.Counts.Containers))
		}
		if !row.RenewedAt.IsZero() {
			// The clocks of API servers may differ.
			seen = duration.HumanDuration(max(now.Sub(row.RenewedAt), 0)) + " ago"
		}
		fmt.Fprintln(table, strings.Join([]string{row.Name, string(row.Ready), row.Reason, cmp.Or(row.Engine, "-"), containers, seen}, "\t"))
	}
	return table.Flush()
}

type hubRemoveCmd struct {
	hubFlags
	confirmation
	Name string `arg:"" help:"Name of the machine."`
}

// Run implements the command. It asks only about a machine that exists.
func (c *hubRemoveCmd) Run(s *session) error {
	return s.onHub(c.hubFlags, func(ctx context.Context, hub *cluster) error {
		if err := machines.Find(ctx, hub.client, c.Name); err != nil {
			return err
		}
		err := s.confirm(c.confirmation, func() loss {
			return loss{
				what:    fmt.Sprintf("this removes machine %s and its mirrors from the hub %s; its engine keeps everything", c.Name, hub.config.Host),
				command: "rdd hub remove " + c.Name,
			}
		})
		if err != nil {
			return err
		}
		// The answer may have taken long.
		ctx, cancel := context.WithTimeout(s.ctx, hubTimeout)
		defer cancel()
		err = s.withSteps(func(report func(string)) error { return machines.Remove(ctx, hub.client, c.Name, report) })
		if err != nil {
			return err
		}
		return s.say("machine %s was removed from the hub; its engine has everything that it had", c.Name)()
	})
}
