package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	cmd.Env = append(os.Environ(), "HOME="+d.home, "RDD_INSTANCE=bench")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("rdd %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
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

// memory returns bytes: pages of the daemon's own, and the peak of all pages.
func (d *daemon) memory(ctx context.Context) (anon, peak int64, err error) {
	pid, err := d.pid(ctx)
	if err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, 0, fmt.Errorf("read the daemon's memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "RssAnon:":
			anon = kilobytes << 10
		case "VmHWM:":
			peak = kilobytes << 10
		}
	}
	return anon, peak, nil
}
