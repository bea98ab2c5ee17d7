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

// readRules reads the tables filter and nat. It returns none on a machine without
// iptables, about which dockerd itself reports an error.
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

// restoreOthers restores the rules of other engines that the start of dockerd has
// removed. A failure breaks the published ports of those engines only.
func (d *Driver) restoreOthers(ctx context.Context, before []ruleset, own []network) {
	changed, err := d.changeRules(ctx, func(now []ruleset) string { return restoreScript(before, now, own) })
	switch {
	case err != nil:
		d.log.Warn("cannot restore the firewall rules of another engine: restart that engine if its published ports do not answer", "error", err)
	case changed > 0:
		d.log.Info("restored the firewall rules of another engine", "rules", changed)
	}
}

// removeRules removes the rules of an engine that has stopped.
func (d *Driver) removeRules(ctx context.Context, own []network) error {
	_, err := d.changeRules(ctx, func(now []ruleset) string { return removalScript(now, own) })
	if err != nil {
		return fmt.Errorf("remove the engine's firewall rules: %w", err)
	}
	return nil
}

// restoreHost restores the firewall and IP forwarding to their state before the
// first start. It changes nothing while another dockerd runs, which needs them.
func (d *Driver) restoreHost(ctx context.Context, was *forwarding) error {
	if isDockerdRunning() {
		return nil
	}
	disableForwarding := was != nil && !was.Enabled
	_, err := d.changeRules(ctx, func(now []ruleset) string {
		input := teardownScript(now)
		if disableForwarding && was.Policy == "ACCEPT" && findTable(now, "filter").policies["FORWARD"] == "DROP" {
			input += "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
		}
		return input
	})
	var failed []error
	if err != nil {
		failed = append(failed, fmt.Errorf("remove Docker's firewall chains: %w", err))
	}
	if disableForwarding {
		if err := os.WriteFile(ipForward, []byte("0\n"), 0o644); err != nil {
			failed = append(failed, fmt.Errorf("turn IP forwarding off again: %w", err))
		}
	}
	return errors.Join(failed...)
}

// readForwarding reads the settings that restoreHost restores.
func readForwarding(sets []ruleset) *forwarding {
	data, err := os.ReadFile(ipForward)
	if err != nil {
		return nil
	}
	policy := findTable(sets, "filter").policies["FORWARD"]
	if policy == "" {
		// A table without rules accepts all packets.
		policy = "ACCEPT"
	}
	return &forwarding{Enabled: strings.TrimSpace(string(data)) == "1", Policy: policy}
}

// isDockerdRunning reports whether a dockerd uses this machine's firewall: it runs
// as root and in this network namespace. A rootless dockerd cannot use it.
func isDockerdRunning() bool {
	return slices.ContainsFunc(process.All(), func(p process.Process) bool {
		uid, uniform := p.Owner()
		return uniform && uid == 0 && p.Executable() == "dockerd" && p.SharesNetwork()
	})
}

// changeRules applies the change that is computed from the current rules, and
// returns the number of changed rules. When another dockerd changes rules in
// between, iptables-restore applies nothing, and changeRules retries.
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
