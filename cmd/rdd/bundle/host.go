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

// owner returns the ID of a file's owner, or -1.
func owner(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// report is a text with sections, each with a title.
type report struct {
	bytes.Buffer
	errs []error
}

func (r *report) title(text string) { fmt.Fprintf(r, "== %s\n", text) }

// show adds the files that exist.
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

// run adds the output of a command, unless that is not installed.
func (r *report) run(ctx context.Context, name string, args ...string) {
	path, err := exec.LookPath(name)
	if err != nil {
		return
	}
	r.title(strings.Join(append([]string{name}, args...), " "))
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...) //nolint:gosec // the commands are this package's own
	command.WaitDelay = requestTimeout
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

// kernelLines is the number of lines of the kernel's log in the bundle. They show
// which processes ran out of memory, and which disks fail.
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

// machine returns QEMU's name of the processor architecture.
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

// environment lists the variables that affect rdd, without values that look like
// secrets.
func (s Subject) environment(context.Context) ([]byte, error) {
	var b bytes.Buffer
	entries := slices.Sorted(slices.Values(s.Environment))
	for _, entry := range entries {
		name, value, _ := strings.Cut(entry, "=")
		if !isRelevant(name) {
			continue
		}
		if secretName(name) {
			value = redacted
		}
		fmt.Fprintf(&b, "%s=%s\n", name, value)
	}
	return b.Bytes(), nil
}

// isRelevant reports whether a variable can affect rdd or its engine.
func isRelevant(name string) bool {
	upper := strings.ToUpper(name)
	for _, beginning := range []string{"RDD_", "DOCKER_", "XDG_", "LIMA", "QEMU_", "LC_", "GO", "CONTAINERD_"} {
		if strings.HasPrefix(upper, beginning) {
			return true
		}
	}
	return slices.Contains([]string{"HOME", "PATH", "USER", "LANG", "SHELL", "TERM", "TMPDIR", "KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"}, upper)
}

// sockets lists the unix sockets of the instance and all TCP ports of the machine,
// because any process can have taken a port.
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
