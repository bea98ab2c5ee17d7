package native

import (
	"path/filepath"
	"slices"
	"strings"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// findEngine returns the process of the engine. It first checks the pid and start
// time of the state file, which only this user can write to. If they are missing or
// wrong, it searches all processes for a program of an engine. An engine runs as this
// user and outside of any container. An argument with the path of the instance's
// configuration file distinguishes it from this user's other processes.
func findEngine(k kind, s state) (process.Process, bool) {
	if s.Engine == k.engine && s.PID > 0 && s.BootID == process.BootID() {
		if p, ok := process.Find(s.PID); ok && p.Start == s.StartTime && isEngine(k, p) {
			return p, true
		}
	}
	var oldest process.Process
	for _, p := range process.All() {
		// A rootless engine is a chain of processes; the first one counts.
		if (oldest.PID == 0 || p.Start < oldest.Start) && isEngine(k, p) && isEngineProgram(k, p.Executable(), p.Args()) {
			oldest = p
		}
	}
	return oldest, oldest.PID != 0
}

func isEngine(k kind, p process.Process) bool {
	return k.isConfiguredBy(p.Args()) && p.Mine()
}

// isEngineProgram reports whether a process with these arguments executes a program that
// rdd starts as an engine, or one that it starts. Other programs can have the engine's
// arguments, such as 'strace dockerd --config-file=FILE'.
func isEngineProgram(k kind, program string, args []string) bool {
	program = strings.TrimPrefix(program, ".") // NixOS has .dockerd-wrapped
	switch {
	case strings.HasPrefix(program, shimPrefix):
		return false
	case strings.HasPrefix(program, k.program):
		return true
	case k.engine != appv1.EngineMoby || len(args) == 0:
		return false
	case program == "rootlesskit":
		return true
	}
	// A shell executes the wrapper, which is a script.
	script := slices.IndexFunc(args[1:], func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	return slices.Contains(shells(), program) && script >= 0 && filepath.Base(args[1+script]) == rootlessScript
}

// shells returns the programs that can be /bin/sh.
func shells() []string { return []string{"ash", "bash", "busybox", "dash", "ksh", "mksh", "sh", "zsh"} }

// isConfiguredBy reports whether the arguments name the instance's configuration
// file, also by a path with symbolic links.
func (k kind) isConfiguredBy(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		path, ok := strings.CutPrefix(arg, "--"+k.configFlag()+"=")
		return ok && (path == k.configFile || filepath.IsAbs(path) && filetree.Resolve(path) == filetree.Resolve(k.configFile))
	})
}
