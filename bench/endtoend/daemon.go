package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// daemon is the rdd under test, in a home of its own.
type daemon struct {
	program, home string
}

// rdd runs one command and returns what it printed to stdout.
func (d *daemon) rdd(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.program, args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), elsewhere), "HOME="+d.home, "RDD_INSTANCE=bench")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("rdd %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// elsewhere is whether a variable would lead rdd to other directories or engines.
func elsewhere(variable string) bool {
	return strings.HasPrefix(variable, "XDG_") || strings.HasPrefix(variable, "DOCKER_")
}

// remove ends the daemon and deletes what it has.
func (d *daemon) remove(ctx context.Context) error {
	_, err := d.rdd(ctx, "svc", "delete")
	return err
}

// stopHard is remove for a daemon that may be in any state; one that never ran
// is gone already.
func (d *daemon) stopHard(ctx context.Context) error {
	if err := d.remove(ctx); err == nil {
		return nil
	}
	if _, err := d.pid(ctx); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return d.kill(ctx)
}

// path asks for one of the instance's paths.
func (d *daemon) path(ctx context.Context, key string) (string, error) {
	return d.rdd(ctx, "svc", "paths", key)
}

func (d *daemon) pid(ctx context.Context) (int, error) {
	file, err := d.path(ctx, "pid_file")
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("read the daemon's pid: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read the daemon's pid: %w", err)
	}
	return pid, nil
}

// kill ends the daemon without a word.
func (d *daemon) kill(ctx context.Context) error {
	pid, err := d.pid(ctx)
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the daemon: %w", err)
	}
	return nil
}
