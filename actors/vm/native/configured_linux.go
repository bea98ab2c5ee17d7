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
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
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
		return launcher{}, vm.Permanent(err)
	}
	for _, arg := range l.extra {
		if property := l.settings.PropertyOf(arg); property != "" {
			name, _, _ := strings.Cut(arg, "=") // the value can be a secret
			return launcher{}, vm.Permanent(fmt.Errorf("RDD_DOCKERD_ARGS has %s, which %s sets too: remove one", name, property))
		}
	}
	l.extra = append(slices.Clone(l.extra), l.settings.ExtraArgs...)
	return l, l.validate(ctx, k)
}

// validateTimeout limits the check of a configuration by an engine.
const validateTimeout = 20 * time.Second

// validate lets the engine's program check the settings, with its configuration in a
// file without a name. The program does not start an engine.
func (l launcher) validate(ctx context.Context, k kind) error {
	ctx, cancel := context.WithTimeout(ctx, validateTimeout)
	defer cancel()
	if k.engine == appv1.EngineContainerd {
		// It parses all arguments before it prints its version.
		out, err := l.run(ctx, nil, nil, "--version")
		return refusal(ctx, k, out, err)
	}
	text, err := dockerConfig(k, l, dockerNetwork{}, !rootless())
	if err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("daemon.json", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("check the configuration of dockerd: %w", err)
	}
	config := os.NewFile(uintptr(fd), configPath)
	defer config.Close()
	if _, err := config.Write(text); err != nil {
		return fmt.Errorf("check the configuration of dockerd: %w", err)
	}
	// These flags come first: the last argument of a user may lack its value.
	out, err := l.run(ctx, config, nil, "--validate", "--config-file="+configPath)
	if !bytes.Contains(out, []byte("unknown flag: --validate")) {
		return refusal(ctx, k, out, err)
	}
	// A version before 23 reads its configuration before it refuses to run without root.
	out, err = l.run(ctx, config, &syscall.Credential{Uid: unprivilegedUser, Gid: unprivilegedUser}, "--config-file="+configPath)
	var exit *exec.ExitError
	if bytes.Contains(out, []byte("needs to be started with root")) || !errors.As(err, &exit) {
		return nil // valid, or the program does not run as another user
	}
	return refusal(ctx, k, out, err)
}

const (
	// configPath is the path of the configuration file in the process that checks it.
	configPath = "/proc/self/fd/3"
	// unprivilegedUser is the user and group that own nothing, by convention.
	unprivilegedUser = 65534
)

// run runs the engine's program with the given arguments, then those of the user. As root,
// it runs as the user as, unless that is nil.
func (l launcher) run(ctx context.Context, config *os.File, as *syscall.Credential, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, l.program, append(args, l.extra...)...)
	cmd.Env = append(l.settings.Environment(engineEnv(process.Environ())), "PATH="+l.path)
	cmd.Dir = "/" // another user may not enter this one
	cmd.WaitDelay = time.Second
	if config != nil {
		cmd.ExtraFiles = []*os.File{config}
	}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	}
	return cmd.CombinedOutput()
}

// refusal returns the error of a program that checked its configuration.
func refusal(ctx context.Context, k kind, out []byte, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.Exited():
		lines := 3
		if k.engine == appv1.EngineContainerd {
			lines = 1 // the others are its help
		}
		text := strings.NewReplacer(configPath, "daemon.json", "See 'dockerd --help'.", "").Replace(string(out))
		return vm.Permanent(fmt.Errorf("%s refuses the settings of containerEngine: %s: correct them with 'rdd set'", k.program, strings.TrimSpace(tail(text, lines))))
	}
	return fmt.Errorf("check the configuration with %s: %w", k.program, errors.Join(err, ctx.Err()))
}
