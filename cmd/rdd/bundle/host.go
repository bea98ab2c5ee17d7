package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// owner is the user id of a file's owner.
func owner(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// report puts several looks together, each under a title.
type report struct {
	bytes.Buffer
	errs []error
}

func (r *report) title(text string) { fmt.Fprintf(r, "== %s\n", text) }

// show adds files of the kernel, where there are such.
func (r *report) show(paths ...string) {
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		r.title(path)
		if err != nil {
			fmt.Fprintln(r, err)
		}
		r.Write(bytes.TrimRight(text, "\n"))
		fmt.Fprintln(r)
	}
}

// run adds what a command says. One that is not installed is no error.
func (r *report) run(ctx context.Context, name string, args ...string) {
	path, err := exec.LookPath(name)
	if err != nil {
		return
	}
	r.title(strings.Join(append([]string{name}, args...), " "))
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...) //nolint:gosec // the commands are this package's own
	command.WaitDelay = askTimeout
	text, err := command.CombinedOutput()
	r.Write(bytes.TrimRight(text, "\n"))
	fmt.Fprintln(r)
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("%s: %w", name, err))
	}
}

func (r *report) result() ([]byte, error) { return r.Bytes(), errors.Join(r.errs...) }

func (s Subject) host(ctx context.Context) ([]byte, error) {
	r := &report{}
	fmt.Fprintf(r, "%s/%s, %d CPUs, user %d\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), os.Getuid())
	r.run(ctx, "uname", "-a")
	r.show("/etc/os-release", "/proc/version", "/proc/uptime", "/proc/loadavg", "/proc/meminfo", "/proc/pressure/cpu",
		"/proc/pressure/memory", "/proc/pressure/io", "/proc/self/limits", "/proc/self/cgroup", "/proc/sys/fs/file-nr",
		"/proc/sys/kernel/unprivileged_userns_clone", "/proc/sys/net/ipv4/ip_forward")
	if runtime.GOOS == "darwin" {
		r.run(ctx, "sw_vers")
		r.run(ctx, "vm_stat")
	}
	return r.result()
}

func (s Subject) disks(ctx context.Context) ([]byte, error) {
	r := &report{}
	i := s.Instance
	for _, flag := range []string{"-k", "-i"} {
		args := []string{flag}
		for _, dir := range []string{i.Dir, i.DataDir, i.LogDir, i.ShortDir, i.LimaHome, os.TempDir()} {
			if _, err := os.Stat(dir); err == nil {
				args = append(args, dir)
			}
		}
		r.run(ctx, "df", args...)
	}
	r.show("/proc/self/mountinfo")
	return r.result()
}

// kernelLines is how many lines of the kernel's log are kept: who was killed for
// want of memory, and which disk is failing.
const kernelLines = 500

func (s Subject) kernel(ctx context.Context) ([]byte, error) {
	r := &report{}
	r.run(ctx, "dmesg")
	text, err := r.result()
	lines := bytes.SplitAfter(text, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-kernelLines):], nil), err
}

func (s Subject) versions(ctx context.Context) ([]byte, error) {
	r := &report{}
	fmt.Fprintf(r, "rdd %s (%s, %s/%s)\n", s.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	dockerd := "dockerd"
	for _, entry := range s.Environment {
		if value, ok := strings.CutPrefix(entry, "RDD_DOCKERD="); ok && value != "" {
			dockerd = value
		}
	}
	for _, program := range []string{dockerd, "docker", "containerd", "runc", "rootlesskit", "qemu-system-" + machine(), "qemu-img", "iptables"} {
		r.run(ctx, program, "--version")
	}
	r.run(ctx, "ssh", "-V")
	return r.result()
}

// machine is the processor in QEMU's words.
func machine() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	default:
		return runtime.GOARCH
	}
}

// environment shows the variables that can matter. Values that look like secrets
// are not shown.
func (s Subject) environment(context.Context) ([]byte, error) {
	var b bytes.Buffer
	entries := slices.Sorted(slices.Values(s.Environment))
	for _, entry := range entries {
		name, value, _ := strings.Cut(entry, "=")
		if !matters(name) {
			continue
		}
		if secretName(name) {
			value = redacted
		}
		fmt.Fprintf(&b, "%s=%s\n", name, value)
	}
	return b.Bytes(), nil
}

func matters(name string) bool {
	upper := strings.ToUpper(name)
	for _, beginning := range []string{"RDD_", "DOCKER_", "XDG_", "LIMA", "QEMU_", "LC_", "GO", "CONTAINERD_"} {
		if strings.HasPrefix(upper, beginning) {
			return true
		}
	}
	return slices.Contains([]string{"HOME", "PATH", "USER", "LANG", "SHELL", "TERM", "TMPDIR", "KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"}, upper)
}

// sockets shows who listens where: all of this machine's TCP ports, since a port
// may be taken by anybody, and the unix sockets of the instance.
func (s Subject) sockets(ctx context.Context) ([]byte, error) {
	r := &report{}
	if runtime.GOOS == "darwin" {
		r.run(ctx, "netstat", "-an", "-p", "tcp")
	}
	r.show("/proc/net/tcp", "/proc/net/tcp6")
	r.run(ctx, "ss", "-ltnp")
	r.title("unix sockets of the instance")
	if text, err := os.ReadFile("/proc/net/unix"); err == nil {
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, s.Instance.ShortDir) || strings.Contains(line, s.Instance.Dir) {
				r.WriteString(line)
			}
		}
	}
	for _, dir := range []string{s.Instance.ShortDir, s.Instance.LimaHome, s.VM.Dir()} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if entry.Type()&fs.ModeSocket != 0 {
				fmt.Fprintln(r, filepath.Join(dir, entry.Name()))
			}
		}
	}
	return r.result()
}
