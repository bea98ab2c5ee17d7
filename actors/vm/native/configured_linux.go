package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// configured returns the programs of an engine with the settings of a spec, after a
// check of the settings.
func (d *Driver) configured(ctx context.Context, k kind, spec messages.VMSpec) (launcher, error) {
	l, err := d.launcher(k)
	if err != nil || spec.Settings == "" {
		return l, err
	}
	if l.settings, err = engineconfig.Decode(spec.Settings); err != nil {
		return launcher{}, err
	}
	if err := l.settings.Check(k.engine); err != nil {
		return launcher{}, err
	}
	for _, arg := range l.extra {
		if property := l.settings.PropertyOf(arg); property != "" {
			return launcher{}, fmt.Errorf("RDD_DOCKERD_ARGS has %s, which %s sets too: remove one", arg, property)
		}
	}
	l.extra = append(slices.Clone(l.extra), l.settings.ExtraArgs...)
	if k.engine == appv1.EngineMoby {
		err = d.validate(ctx, k, l)
	}
	return l, err
}

// validateTimeout limits the check of a configuration by dockerd.
const validateTimeout = 10 * time.Second

// validate lets dockerd check the settings. A version before 23 has no --validate; then
// validate compares the keys with those in its help, after it has parsed the flags.
func (d *Driver) validate(ctx context.Context, k kind, l launcher) error {
	config, err := dockerConfig(k, l, dockerNetwork{}, !rootless())
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "rdd-daemon-*.json") // only this user may read it
	if err != nil {
		return fmt.Errorf("check the configuration of dockerd: %w", err)
	}
	path := file.Name()
	defer os.Remove(path)
	_, err = file.Write(config)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("check the configuration of dockerd: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, validateTimeout)
	defer cancel()
	out, err := l.run(ctx, "--validate", "--config-file="+path)
	if err == nil || !bytes.Contains(out, []byte("unknown flag: --validate")) {
		return refusal(ctx, out, err, path)
	}
	out, err = l.run(ctx, "--help")
	if err != nil {
		return refusal(ctx, out, err, path)
	}
	if unknown := unknownKeys(string(out), l.settings.Config); len(unknown) > 0 {
		return fmt.Errorf("containerEngine.config has keys that this dockerd does not know: %s: remove them with 'rdd set containerEngine.config.%s='",
			strings.Join(unknown, ", "), strings.Join(unknown, "= containerEngine.config."))
	}
	return nil
}

// run runs dockerd with the arguments of the user and with others, after which it ends.
func (l launcher) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, l.program, append(slices.Clone(l.extra), args...)...)
	cmd.Env = append(l.settings.Environment(engineEnv(os.Environ())), "PATH="+l.path)
	cmd.WaitDelay = time.Second
	return cmd.CombinedOutput()
}

// refusal returns the error of a dockerd that checked its configuration.
func refusal(ctx context.Context, out []byte, err error, path string) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.Exited():
		text := strings.ReplaceAll(string(out), path, "daemon.json")
		return fmt.Errorf("dockerd refuses the settings of containerEngine: %s", tail(strings.ReplaceAll(text, "See 'dockerd --help'.", ""), 3))
	}
	return fmt.Errorf("check the configuration with dockerd: %w", errors.Join(err, ctx.Err()))
}

// unknownKeys returns the keys of daemon.json that a dockerd does not know. It knows
// those of its flags, which its help lists, and a few others.
func unknownKeys(help string, config map[string]any) []string {
	known := map[string]bool{"builder": true, "features": true, "network-diagnostic-port": true}
	for _, match := range regexp.MustCompile(`(?m)^ .*?--([a-z][a-z0-9-]*)`).FindAllStringSubmatch(help, -1) {
		known[engineconfig.Key(match[1])] = true
	}
	var unknown []string
	for key := range config {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	return unknown
}
