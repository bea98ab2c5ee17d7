package agent

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/lima"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/provision"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/provision/recipe"
)

// Check returns an error if a VM cannot be made or started from cfg because of an
// incomplete image, too little space for a new disk, an error in a user's lima.yaml, or
// settings that the engine of a running VM refuses. It changes nothing, and may run while
// a host agent runs.
func Check(cfg limahost.Config) error {
	runtime, err := lima.Configure(cfg.LimaHome, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	paths := limahost.Paths{LimaHome: cfg.LimaHome}
	p := provision.Provisioner{Spec: cfg.Spec, Paths: paths, Lima: runtime}
	if err := p.Check(); err != nil {
		return err
	}
	return checkInGuest(cfg.Spec, paths)
}

// guestCheckTimeout limits the check in the guest, which takes a few seconds in an
// emulated VM.
const guestCheckTimeout = 25 * time.Second

// checkInGuest lets the engine of a running VM check new settings. Without an answer the
// settings count as valid: the VM does not run, or its restart cannot make matters worse.
func checkInGuest(spec limahost.Spec, p limahost.Paths) error {
	var current limahost.Spec
	if found, err := limahost.Load(p.Current(), &current); err != nil || !found || spec.Settings == "" ||
		spec.Settings == current.Settings || spec.Engine != current.Engine {
		return nil
	}
	script, err := recipe.GuestCheck(spec)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), guestCheckTimeout)
	defer cancel()
	// The settings are in the script and not in the arguments, which other users can read.
	cmd := exec.CommandContext(ctx, "ssh", "-F", p.SSHConfig(), "-o", "ConnectTimeout=5", limahost.SSHHost, "sh")
	cmd.Stdin, cmd.WaitDelay = strings.NewReader(script), time.Second
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == recipe.Refused {
		return errors.New(strings.TrimSpace(string(out)))
	}
	return nil
}
