package native

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// rootless is whether engines run in a user namespace, since this process is
// not root. Such an engine has no live-restore: its containers live in its own
// namespaces and end with it.
func rootless() bool { return os.Geteuid() != 0 }

// innermost returns the engine's own process in the chain of processes that begins
// with first: a rootless dockerd is wrapped, and its wrapper would not end it
// gracefully. Each process of the chain passes the engine's arguments to the next.
func innermost(k kind, first process.Process) process.Process {
	inner := first
	for _, p := range process.Descendants([]process.Process{first}, process.All()) {
		if p.Parent == inner.PID && k.configures(p.Args()) {
			inner = p
		}
	}
	return inner
}

// removeMapped removes a directory with files of subordinate users, which only
// the root of a user namespace may do. No mount below it is entered.
func (d *Driver) removeMapped(dir string) error {
	cmd, err := mappedRemoval(d.searchPath(), dir)
	if err != nil {
		return err
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// mappedRemoval returns the command of removeMapped, with programs of path.
func mappedRemoval(path, dir string) (*exec.Cmd, error) {
	var programs []string
	for _, name := range []string{"rootlesskit", "rm"} {
		program := search(name, path)
		if program == "" {
			return nil, fmt.Errorf("remove files of subordinate users: %s is not in %s: install it, and run the command again", name, path)
		}
		programs = append(programs, program)
	}
	return exec.Command(programs[0], programs[1], "-rf", "--one-file-system", "--", dir), nil
}

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
	for _, program := range []string{"rootlesskit", "newuidmap", "iptables"} {
		pkg := strings.Replace(program, "newuidmap", "uidmap", 1)
		if search(program, path) == "" {
			missing = append(missing, fmt.Sprintf("%s (package %s)", program, pkg))
		}
	}
	if search("slirp4netns", path) == "" && search("pasta", path) == "" && search("vpnkit", path) == "" {
		missing = append(missing, "slirp4netns (package slirp4netns)")
	}
	if tun, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
		missing = append(missing, fmt.Sprintf("the use of /dev/net/tun, for the containers' network ('sudo chmod 0666 /dev/net/tun'): %v", err))
	} else if err := tun.Close(); err != nil {
		missing = append(missing, err.Error())
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

// rootlessNetwork is that of a dockerd with a network namespace of its own, in
// which no route can be in the way of the range that is chosen.
func rootlessNetwork(name, subnet string) (dockerNetwork, error) {
	wanted, err := parseSubnet(subnet)
	if err != nil {
		return dockerNetwork{}, err
	}
	chosen, err := chooseAddresses(name, wanted, "", nil)
	return dockerNetwork{bridgeIP: chosen.bridge.String(), pools: chosen.pools}, err
}
