package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/autostart"
)

type svcInstallCmd struct {
	output
}

// Run implements the command. It creates the instance if it does not exist.
func (c *svcInstallCmd) Run(s *session) error {
	service, err := autostart.New(s.instance)
	if err != nil {
		return err
	}
	path, err := programPath()
	if err != nil {
		return err
	}
	if err := s.manager(func(string) {}).Create(); err != nil {
		return err
	}
	file, note, err := service.Install(s.ctx, autostart.Program{Path: path, Env: autostartEnv(os.LookupEnv)})
	if err != nil {
		return err
	}
	result := map[string]string{"instance": s.instance.Name, "file": file, "program": path, "note": note}
	return s.show(c.output, result, func() error {
		fmt.Fprintf(s.out, "the daemon of instance %q starts at login: %s starts %s\n", s.instance.Name, file, path)
		if note != "" {
			s.note(s.out, note)
		}
		return nil
	})
}

type svcUninstallCmd struct {
	output
}

// Run implements the command. The instance need not exist.
func (c *svcUninstallCmd) Run(s *session) error {
	service, err := autostart.New(s.instance)
	if err != nil {
		return err
	}
	removed, kept, err := service.Uninstall(s.ctx)
	if err != nil {
		return err
	}
	result := map[string]any{"instance": s.instance.Name, "removed": removed}
	if removed {
		return s.show(c.output, result, s.say("the daemon of instance %q no longer starts at login", s.instance.Name))
	}
	if len(kept) > 0 {
		return fmt.Errorf("%s was not written by 'rdd svc install' for this instance, so it was kept: remove it yourself if you do not need it", kept[0])
	}
	if err := s.mustExist(); err != nil {
		return err
	}
	return s.show(c.output, result, s.say("the daemon of instance %q was not set to start at login", s.instance.Name))
}

// removeAutostart removes what 'rdd svc install' has written, and nothing else.
func (s *session) removeAutostart() error {
	service, err := autostart.New(s.instance)
	if err != nil {
		return err
	}
	_, _, err = service.Uninstall(s.ctx)
	return err
}

// autostartEnv returns the variables that a start at login needs from the shell of the
// installation. Those that 'svc start' saves are not among them.
func autostartEnv(lookup func(string) (string, bool)) []string {
	var env []string
	for _, name := range []string{
		"PATH", "XDG_DATA_HOME", "XDG_STATE_HOME", "DOCKER_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT",
		"RDD_VM_IMAGE", "RDD_VM_BOOT_TIMEOUT",
	} {
		if value, _ := lookup(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// programPath returns the path by which this program was started, so that an upgrade
// that replaces a link takes effect. If that path is another program now, programPath
// returns the one of the kernel.
func programPath() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	named, err := exec.LookPath(os.Args[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return path, nil //nolint:nilerr // the path of the kernel is as good
	}
	if named, err = filepath.Abs(named); err != nil {
		return path, nil //nolint:nilerr // as above
	}
	here, err := os.Stat(path)
	there, thereErr := os.Stat(named)
	if err == nil && thereErr == nil && os.SameFile(here, there) {
		return named, nil
	}
	return path, nil
}
