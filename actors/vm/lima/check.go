package lima

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// checkTimeout limits the check of a configuration. It takes 0.1 s, or a few seconds if the
// engine of an emulated VM checks settings.
const checkTimeout = 30 * time.Second

// check checks a spec with the agent's program, which has Lima: the image, a user's
// lima.yaml, and settings of the engine. It changes nothing, and needs no running agent.
func (d *Driver) check(ctx context.Context, spec limahost.Spec) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	cmd, err := d.command("--check")
	if err != nil {
		return err
	}
	config, err := json.Marshal(limahost.Config{LimaHome: d.cfg.Home, LogDir: d.cfg.LogDir, Spec: spec})
	if err != nil {
		return fmt.Errorf("encode the VM's configuration: %w", err)
	}
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(config), &stderr
	if err = runUntil(ctx, cmd); err == nil {
		return nil
	}
	var exit *exec.ExitError
	if text := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "rdd: "); errors.As(err, &exit) && exit.Exited() && text != "" {
		return errors.New(text)
	}
	return fmt.Errorf("check the VM's configuration with %s: %w", cmd.Path, errors.Join(err, ctx.Err()))
}

// runUntil runs cmd, and kills the process when ctx ends.
func runUntil(ctx context.Context, cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	return cmd.Wait()
}
