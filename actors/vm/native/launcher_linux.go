package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// sbinDirs returns the directories to search after PATH, in which a user often has
// none of them.
func sbinDirs() []string {
	return []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
}

// launcher has the programs of an engine.
type launcher struct {
	// program is the engine. wrapper starts it without root; it is empty as root.
	program, wrapper string
	// how describes to users how the engine runs.
	how string
	// path is PATH for the engine.
	path string
	// extra are the arguments from RDD_DOCKERD_ARGS, then those of the settings.
	extra []string
	// settings are those of the App.
	settings engineconfig.Settings
}

// launcher finds the programs of an engine. Its error names what to install.
func (d *Driver) launcher(k kind) (launcher, error) {
	l := launcher{path: d.searchPath(), how: "running as root"}
	program, err := d.findProgram(k, l.path)
	if err != nil {
		return launcher{}, err
	}
	l.program = program
	if k.engine == appv1.EngineMoby {
		l.extra = strings.Fields(d.getenv("RDD_DOCKERD_ARGS"))
	}
	if os.Geteuid() == 0 {
		return l, nil
	}
	if k.engine != appv1.EngineMoby {
		return launcher{}, errors.New("containerd needs root here: run rdd as root, or run 'rdd set containerEngine.name=moby', which works without root")
	}
	l.wrapper, err = d.findRootless(l.path)
	l.how = "running rootless"
	return l, err
}

// searchPath returns PATH for the engine. The directory of RDD_DOCKERD comes first,
// so that dockerd uses the runc and containerd of that directory.
func (d *Driver) searchPath() string {
	var dirs []string
	if own := d.getenv("RDD_DOCKERD"); own != "" {
		dirs = append(dirs, filepath.Dir(own))
	}
	dirs = append(dirs, filepath.SplitList(d.getenv("PATH"))...)
	for _, dir := range sbinDirs() {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, string(filepath.ListSeparator))
}

func (d *Driver) findProgram(k kind, path string) (string, error) {
	if own := d.getenv("RDD_DOCKERD"); own != "" && k.engine == appv1.EngineMoby {
		if !executable(own) {
			return "", fmt.Errorf("RDD_DOCKERD=%s is not an executable program: set it to the path of a dockerd", own)
		}
		return own, nil
	}
	if program := search(k.program, path); program != "" {
		return program, nil
	}
	pkg := "docker.io (Debian, Ubuntu: 'sudo apt-get install docker.io'), moby-engine (Fedora) or docker (openSUSE, Arch, Alpine)"
	if k.engine == appv1.EngineContainerd {
		pkg = "containerd ('sudo apt-get install containerd')"
	}
	return "", fmt.Errorf("%s is not installed: install the package %s, or set RDD_DOCKERD to the path of a dockerd", k.program, pkg)
}

// search returns the path of a program, or "".
func search(program, path string) string {
	for _, dir := range filepath.SplitList(path) {
		if full := filepath.Join(dir, program); filepath.IsAbs(full) && executable(full) {
			return full
		}
	}
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// version returns the name and version of the program, such as "dockerd 20.10.24".
func (l launcher) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	name := filepath.Base(l.program)
	cmd := exec.CommandContext(ctx, l.program, "--version")
	// A background process of a script may keep the output open.
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", l.program, errors.Join(err, ctx.Err()))
	}
	for word := range strings.FieldsSeq(string(out)) {
		if v := strings.TrimPrefix(word, "v"); v != "" && v[0] >= '0' && v[0] <= '9' {
			return name + " " + strings.TrimSuffix(v, ","), nil
		}
	}
	return name, nil
}

// withoutDuplicates removes settings that the user's arguments set too: dockerd
// refuses a setting that occurs twice.
func (l launcher) withoutDuplicates(n dockerNetwork) dockerNetwork {
	for _, arg := range l.extra {
		switch name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "="); name {
		case "default-address-pool":
			n.pools = nil
		case "bip":
			n.bridgeIP = ""
		}
	}
	return n
}

// command returns the command that starts the engine, for process.Start.
func (l launcher) command(k kind, log *os.File, getenv func(string) string) *exec.Cmd {
	program := l.program
	if l.wrapper != "" {
		program = l.wrapper
	}
	cmd := exec.Command(program, append([]string{k.configArg()}, l.extra...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(l.settings.Environment(engineEnv(process.Environ())), "PATH="+l.path)
	if l.wrapper != "" {
		cmd.Env = append(cmd.Env, rootlessEnv(k, l, getenv)...)
	}
	return cmd
}

// engineEnv removes variables that are for rdd or a Docker client, and not for an
// engine.
func engineEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "PATH" || strings.HasPrefix(name, "RDD_") || name == "DOCKER_HOST" || name == "DOCKER_CONTEXT"
	})
}
