package native

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
)

// detached puts a process in a session of its own: no signal that is meant for
// the daemon's terminal or process group reaches it.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// rootlessScripts are the places where packages put the wrapper, beside PATH.
func rootlessScripts() []string {
	return []string{"/usr/share/docker.io/contrib/dockerd-rootless.sh", "/usr/libexec/docker/dockerd-rootless.sh"}
}

// findRootless returns the path of dockerd-rootless.sh when all is there that a
// rootless dockerd needs; else an error that names every missing thing.
func (d *Driver) findRootless(path string) (string, error) {
	var missing []string
	script := search("dockerd-rootless.sh", path)
	for _, candidate := range rootlessScripts() {
		if script == "" && executable(candidate) {
			script = candidate
		}
	}
	if script == "" {
		missing = append(missing, "dockerd-rootless.sh (package docker.io or docker-ce-rootless-extras)")
	}
	for program, pkg := range map[string]string{"rootlesskit": "rootlesskit", "newuidmap": "uidmap", "iptables": "iptables"} {
		if search(program, path) == "" {
			missing = append(missing, fmt.Sprintf("%s (package %s)", program, pkg))
		}
	}
	if search("slirp4netns", path) == "" && search("pasta", path) == "" && search("vpnkit", path) == "" {
		missing = append(missing, "slirp4netns (package slirp4netns)")
	}
	if err := subordinateIDs(); err != nil {
		missing = append(missing, err.Error())
	}
	if len(missing) > 0 {
		return "", errors.New("rdd does not run as root, and a rootless dockerd lacks: " + strings.Join(missing, "; "))
	}
	return script, nil
}

// subordinateIDs checks that the user may map user and group IDs.
func subordinateIDs() error {
	me, err := user.Current()
	if err != nil {
		return fmt.Errorf("the user's name: %w", err)
	}
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		text := "\n" + string(data)
		if !strings.Contains(text, "\n"+me.Username+":") && !strings.Contains(text, "\n"+me.Uid+":") {
			return fmt.Errorf("a line for %s in %s ('sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s')", me.Username, file, me.Username)
		}
	}
	return nil
}

// rootlessEnv is what dockerd-rootless.sh needs: a runtime directory of the
// instance's own, and the engine's program by name.
func rootlessEnv(k kind, l launcher, getenv func(string) string) []string {
	env := []string{"XDG_RUNTIME_DIR=" + filepath.Dir(k.execDir), "DOCKERD=" + l.program}
	if getenv("HOME") == "" {
		if me, err := user.Current(); err == nil {
			env = append(env, "HOME="+me.HomeDir)
		}
	}
	return env
}
