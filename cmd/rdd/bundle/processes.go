package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// instanceProcesses are those whose command line names the instance or one of
// its directories, the daemon, and what descends from any of them.
func (s Subject) instanceProcesses() []process.Process {
	all := process.All()
	mine := map[int]bool{}
	if pid, running, err := instance.Running(s.Instance.PidFile); err == nil && running && pid != 0 {
		mine[pid] = true
	}
	for _, p := range all {
		line := strings.Join(p.Args(), " ")
		for _, dir := range []string{s.Instance.Dir, s.Instance.ShortDir, s.Instance.LogDir, "--instance " + s.Instance.Name + " svc serve"} {
			if strings.Contains(line+" ", dir+" ") || strings.Contains(line, dir+"/") {
				mine[p.PID] = true
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if mine[p.Parent] && !mine[p.PID] {
				mine[p.PID], grown = true, true
			}
		}
	}
	delete(mine, os.Getpid())
	return slices.DeleteFunc(all, func(p process.Process) bool { return !mine[p.PID] })
}

// processes shows the instance's processes.
func (s Subject) processes(ctx context.Context) ([]byte, error) {
	r := &report{}
	for _, p := range s.instanceProcesses() {
		r.title(fmt.Sprintf("process %d, parent %d: %s", p.PID, p.Parent, strings.Join(p.Args(), " ")))
		dir := filepath.Join("/proc", strconv.Itoa(p.PID))
		if text, err := os.ReadFile(filepath.Join(dir, "status")); err == nil {
			r.Write(text)
		}
		for _, link := range []string{"exe", "cwd", "root"} {
			if to, err := os.Readlink(filepath.Join(dir, link)); err == nil {
				fmt.Fprintf(r, "%s -> %s\n", link, to)
			}
		}
		if files, err := os.ReadDir(filepath.Join(dir, "fd")); err == nil {
			fmt.Fprintf(r, "open files: %d\n", len(files))
		}
		for _, entry := range environmentOf(p.PID) {
			name, value, _ := strings.Cut(entry, "=")
			if matters(name) && !looksSecret(name) {
				fmt.Fprintf(r, "environment: %s=%s\n", name, value)
			}
		}
	}
	r.run(ctx, "ps", "-eo", "pid,ppid,user,stat,etime,time,rss,comm")
	return r.result()
}

// environmentOf is the environment of a process, where it can be seen.
func environmentOf(pid int) []string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
}

// threads shows what the threads of the daemon wait for, as the kernel sees
// them: that is there of a daemon that hangs, too.
func (s Subject) threads(context.Context) ([]byte, error) {
	pid, running, err := instance.Running(s.Instance.PidFile)
	if err != nil || !running {
		return nil, errors.Join(err, errors.New("no daemon runs"))
	}
	tasks, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "task"))
	if err != nil {
		return nil, err
	}
	r := &report{}
	for _, task := range tasks {
		dir := filepath.Join("/proc", strconv.Itoa(pid), "task", task.Name())
		fmt.Fprintf(r, "== thread %s\n", task.Name())
		for _, file := range []string{"stat", "wchan", "syscall", "stack"} {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if err == nil {
				fmt.Fprintf(r, "%s: %s\n", file, strings.TrimSpace(string(text)))
			}
		}
	}
	return r.result()
}
