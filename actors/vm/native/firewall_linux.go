package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// ipForward is the sysctl that dockerd sets to 1.
const ipForward = "/proc/sys/net/ipv4/ip_forward"

// readRules reads the tables filter and nat. On a machine without iptables
// there are none; dockerd will say so itself.
func (d *Driver) readRules(ctx context.Context) []ruleset {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var sets []ruleset
	for _, table := range []string{"filter", "nat"} {
		out, err := d.iptables(ctx, "iptables-save", nil, "-t", table)
		if err != nil {
			d.log.Debug("cannot read firewall rules", "table", table, "error", err)
			continue
		}
		sets = append(sets, parseRules(out)...)
	}
	return sets
}

// restoreOthers puts back the rules of others that the start of dockerd has
// removed. A failure costs other engines their published ports, not this one.
func (d *Driver) restoreOthers(ctx context.Context, before []ruleset, own []network) {
	changed, err := d.changeRules(ctx, func(now []ruleset) string { return repair(before, now, own) })
	switch {
	case err != nil:
		d.log.Warn("cannot put back the firewall rules of another engine; restart that one if its published ports do not answer", "error", err)
	case changed > 0:
		d.log.Info("put back the firewall rules of another engine", "rules", changed)
	}
}

// removeRules removes the rules of an engine that has stopped.
func (d *Driver) removeRules(ctx context.Context, own []network) error {
	_, err := d.changeRules(ctx, func(now []ruleset) string { return removal(now, own) })
	if err != nil {
		return fmt.Errorf("remove the engine's firewall rules: %w", err)
	}
	return nil
}

// restoreHost gives the firewall and the forwarding of packets back as they were
// before the first start, unless a dockerd that still runs relies on them.
func (d *Driver) restoreHost(ctx context.Context, was *forwarding) error {
	if anyDockerd() {
		return nil
	}
	forwards := was != nil && !was.Enabled
	_, err := d.changeRules(ctx, func(now []ruleset) string {
		input := teardown(now)
		if forwards && was.Policy == "ACCEPT" && find(now, "filter").policies["FORWARD"] == "DROP" {
			input += "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
		}
		return input
	})
	var failed []error
	if err != nil {
		failed = append(failed, fmt.Errorf("remove Docker's firewall chains: %w", err))
	}
	if forwards {
		if err := os.WriteFile(ipForward, []byte("0\n"), 0o644); err != nil {
			failed = append(failed, fmt.Errorf("turn off the forwarding of packets again: %w", err))
		}
	}
	return errors.Join(failed...)
}

// readForwarding reads what restoreHost gives back.
func readForwarding(sets []ruleset) *forwarding {
	data, err := os.ReadFile(ipForward)
	if err != nil {
		return nil
	}
	policy := find(sets, "filter").policies["FORWARD"]
	if policy == "" {
		// A table that nobody has used yet accepts.
		policy = "ACCEPT"
	}
	return &forwarding{Enabled: strings.TrimSpace(string(data)) == "1", Policy: policy}
}

// anyDockerd reports whether a dockerd relies on this machine's firewall: a process
// of root, of this program, in this network namespace. That of another user, such as
// a rootless one, cannot.
func anyDockerd() bool {
	return slices.ContainsFunc(process.All(), func(p process.Process) bool {
		uid, uniform := p.Owner()
		return uniform && uid == 0 && p.Executable() == "dockerd" && p.SharesNetwork()
	})
}

// changeRules applies the change that follows from the rules as they are, and
// returns the number of rules it touched. Another dockerd may change them in
// between, and then nothing is applied; so it looks and tries again a few times.
func (d *Driver) changeRules(ctx context.Context, change func(now []ruleset) string) (int, error) {
	var err error
	for range 5 {
		input := change(d.readRules(ctx))
		if input == "" {
			return 0, nil
		}
		if err = d.applyRules(ctx, input); err == nil {
			return strings.Count(input, "\n-"), nil
		}
	}
	return 0, err
}

func (d *Driver) applyRules(ctx context.Context, input string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := d.iptables(ctx, "iptables-restore", strings.NewReader(input), "--noflush", "--wait", "5")
	return err
}

func (d *Driver) iptables(ctx context.Context, name string, input *strings.Reader, args ...string) (string, error) {
	program := search(name, d.searchPath())
	if program == "" {
		return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	if input != nil {
		cmd.Stdin = input
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return string(out), nil
}
