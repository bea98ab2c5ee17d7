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

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/vmhost"
)

// checkDeadline bounds the agent's look at a configuration, which takes 0.1 s.
const checkDeadline = 10 * time.Second

// check asks the agent's program, which knows Lima, what is wrong with a spec: an
// image that is not whole, a line of a user's lima.yaml. It changes nothing and
// needs no agent that lives.
func (d *Driver) check(ctx context.Context, spec vmhost.Spec) error {
	ctx, cancel := context.WithTimeout(ctx, checkDeadline)
	defer cancel()
	command, err := d.command("--check")
	if err != nil {
		return err
	}
	config, err := json.Marshal(vmhost.Config{LimaHome: d.cfg.Home, LogDir: d.cfg.LogDir, Spec: spec})
	if err != nil {
		return fmt.Errorf("encode the VM's configuration: %w", err)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr, cmd.Env = bytes.NewReader(config), &said, process.Environ()
	if err = cmd.Run(); err == nil {
		return nil
	}
	var exit *exec.ExitError
	if text := strings.TrimPrefix(strings.TrimSpace(said.String()), "rdd: "); errors.As(err, &exit) && exit.Exited() && text != "" {
		return errors.New(text)
	}
	return fmt.Errorf("check the VM's configuration with %s: %w", command[0], errors.Join(err, ctx.Err()))
}
