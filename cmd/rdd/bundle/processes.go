package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// instanceProcesses returns the daemon, the processes whose command line names the
// instance or one of its directories, and all their descendants.
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

// processes lists the instance's processes. Of a process in a container it shows
// only the name, because its arguments and environment are private.
func (s Subject) processes(ctx context.Context) ([]byte, error) {
	r := &report{}
	for _, p := range s.instanceProcesses() {
		args := p.Args()
		own := ownProcess(p.PID, args)
		if !own && len(args) > 1 {
			args = []string{args[0], fmt.Sprintf("(%d arguments, not shown)", len(args)-1)}
		}
		r.title(fmt.Sprintf("process %d, parent %d: %s", p.PID, p.Parent, strings.Join(args, " ")))
		r.process(p.PID)
		for _, entry := range environmentOf(p.PID) {
			name, value, _ := strings.Cut(entry, "=")
			if own && isRelevant(name) && !secretName(name) {
				fmt.Fprintf(r, "environment: %s=%s\n", name, value)
			}
		}
	}
	r.run(ctx, "ps", "-eo", "pid,ppid,user,stat,etime,time,rss,comm")
	return r.result()
}

// process adds what the kernel reports about a process.
func (r *report) process(pid int) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
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
}

// ownProcess reports whether rdd or its engine started a process, so that its
// arguments can be shown. It checks the executable, because a process can choose the
// name in its command line. It also checks the namespace, because a container can have
// such a program too.
func ownProcess(pid int, args []string) bool {
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if errors.Is(err, fs.ErrNotExist) { // not Linux: containers are in a VM
		return len(args) > 0 && ownProgram(filepath.Base(args[0]))
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	other, otherErr := os.Readlink(filepath.Join(dir, "ns", "pid"))
	executable, exeErr := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil || otherErr != nil || exeErr != nil || other != namespace {
		return false
	}
	// An upgrade can have replaced the file.
	return ownProgram(strings.TrimSuffix(filepath.Base(executable), " (deleted)"))
}

// ownProgram reports whether rdd or its engine starts programs with this name.
func ownProgram(name string) bool {
	for _, beginning := range []string{"containerd-shim", "qemu-"} {
		if strings.HasPrefix(name, beginning) {
			return true
		}
	}
	return slices.Contains([]string{
		"rdd", "dockerd", "containerd", "docker-proxy", "docker-init", "rootlesskit", "slirp4netns", "ssh",
	}, name)
}

// environmentOf returns the environment of a process, if it is readable.
func environmentOf(pid int) []string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\x00"), "\x00")
}

// threads lists the threads of the daemon, and what each waits for in the kernel.
// This works for a daemon that hangs.
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
