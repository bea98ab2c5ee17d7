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

// rootless reports whether engines run in a user namespace, since this process is
// not root. The containers of such an engine run in its namespaces and end with it,
// so that live-restore cannot be used.
func rootless() bool { return os.Geteuid() != 0 }

// innermost returns the process of dockerd itself in the chain that begins with
// first. A rootless dockerd has wrappers, which would not end it gracefully. Each
// process of the chain passes its arguments to the next.
func innermost(k kind, first process.Process) process.Process {
	inner := first
	for _, p := range process.Descendants([]process.Process{first}, process.All()) {
		if p.Parent == inner.PID && k.isConfiguredBy(p.Args()) {
			inner = p
		}
	}
	return inner
}

// removeMapped removes a directory with files of subordinate users. Only root of a
// user namespace may do that. It enters no mount.
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

// mappedRemoval returns the command of removeMapped. It searches the programs in
// path.
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

// rootlessScript is the name of the wrapper of a rootless dockerd.
const rootlessScript = "dockerd-rootless.sh"

// rootlessScripts returns the paths outside of PATH at which packages have the
// wrapper.
func rootlessScripts() []string {
	return []string{"/usr/share/docker.io/contrib/dockerd-rootless.sh", "/usr/libexec/docker/dockerd-rootless.sh"}
}

// findRootless returns the path of dockerd-rootless.sh. If a rootless dockerd lacks
// anything that it needs, the error names all that is missing.
func (d *Driver) findRootless(path string) (string, error) {
	var missing []string
	script := search(rootlessScript, path)
	for _, candidate := range rootlessScripts() {
		if script == "" && executable(candidate) {
			script = candidate
		}
	}
	if script == "" {
		missing = append(missing, rootlessScript+" (package docker.io or docker-ce-rootless-extras)")
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
		missing = append(missing, fmt.Sprintf("access to /dev/net/tun, for the containers' network ('sudo chmod 0666 /dev/net/tun'): %v", err))
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
		return fmt.Errorf("find the user's name: %w", err)
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

// rootlessEnv returns the environment for dockerd-rootless.sh: the instance's own
// runtime directory, and the path of dockerd.
func rootlessEnv(k kind, l launcher, getenv func(string) string) []string {
	env := []string{"XDG_RUNTIME_DIR=" + filepath.Dir(k.execDir), "DOCKERD=" + l.program}
	if getenv("HOME") == "" {
		if me, err := user.Current(); err == nil {
			env = append(env, "HOME="+me.HomeDir)
		}
	}
	return env
}

// rootlessNetwork returns the network of a rootless dockerd. It has its own network
// namespace, so that no route can overlap the chosen range.
func rootlessNetwork(name, subnet string) (dockerNetwork, error) {
	wanted, err := parseSubnet(subnet)
	if err != nil {
		return dockerNetwork{}, err
	}
	chosen, err := chooseAddresses(name, wanted, "", nil)
	return dockerNetwork{bridgeIP: chosen.bridge.String(), pools: chosen.pools}, err
}
