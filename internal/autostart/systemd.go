package autostart

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// systemd implements kind with a user unit; see systemd.unit(5). Its files are managed
// without the user manager, so that this works also if none runs. The result is the one
// of 'systemctl --user enable'.
type systemd struct{}

// unit returns the name of the instance's unit. Every name of an instance is valid there.
func unit(inst instance.Instance) string {
	if inst.Name == instance.DefaultName {
		return "rdd.service"
	}
	return "rdd-" + inst.Name + ".service"
}

// files implements kind. The user manager may use the default directory although this
// shell has another one in XDG_CONFIG_HOME.
func (systemd) files(s Service) []file {
	below := filepath.Join("systemd", "user", unit(s.instance))
	usual := file{filepath.Join(s.host.home, ".config"), below, s.host.uid}
	if !filepath.IsAbs(s.host.config) || filepath.Clean(s.host.config) == usual.base {
		return []file{usual}
	}
	return []file{{filepath.Clean(s.host.config), below, s.host.uid}, usual}
}

// wants returns the link that enables a unit for target.
func wants(f file) file {
	return f.beside(filepath.Join("default.target.wants", filepath.Base(f.path())))
}

// programLine begins the line with the path of rdd.
const programLine = "# Program: "

// render implements kind. 'svc start' uses the saved arguments of the last start, and
// succeeds if the daemon runs already. The daemon is no process of the unit's own, because
// 'rdd svc restart' replaces it.
func (systemd) render(s Service, p Program) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s", s.mark())
	line("%s%s", programLine, p.Path)
	line("[Unit]")
	line("Description=rdd and its container engine, instance %s", s.instance.Name)
	line("")
	line("[Service]")
	line("Type=oneshot")
	line("RemainAfterExit=yes")
	for _, variable := range p.Env {
		line("Environment=%s", unitQuoted(variable))
	}
	line("ExecStart=%s --instance %s svc start --timeout 5m", unitQuoted(p.Path), s.instance.Name)
	line("ExecStop=%s --instance %s svc stop", unitQuoted(p.Path), s.instance.Name)
	line("# Containers that are still stopping after a failed stop are not killed.")
	line("KillMode=process")
	line("# Rootless containers have cgroups below that of the unit.")
	line("Delegate=yes")
	line("TimeoutStartSec=6min")
	line("TimeoutStopSec=3min")
	line("")
	line("[Install]")
	line("WantedBy=default.target")
	return b.String()
}

// unitQuoted quotes a text for a unit: systemd.syntax(7) has the escapes, and
// systemd.unit(5) the specifiers, which begin with %. The text has no control characters.
func unitQuoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(text) + `"`
}

// program implements kind.
func (systemd) program(content string) string {
	for line := range strings.Lines(content) {
		if path, found := strings.CutPrefix(line, programLine); found {
			return strings.TrimSuffix(path, "\n")
		}
	}
	return ""
}

// check implements kind. systemd refuses quotes and backslashes in the path of a program,
// also if they are escaped.
func (systemd) check(ctx context.Context, s Service, p Program) error {
	if strings.ContainsAny(p.Path, `"'\`) {
		return fmt.Errorf("start instance %q at login: systemd starts no program with a quote or a backslash in its path: move %s to another directory", s.instance.Name, p.Path)
	}
	if _, err := s.host.run(ctx, "systemctl", "--version"); err != nil {
		return fmt.Errorf("start instance %q at login: this machine has no systemd, which would start it, and nothing was written: run 'rdd svc start' in a login script, or in a line with @reboot of 'crontab -e' (%w)", s.instance.Name, err)
	}
	return nil
}

// enable implements kind.
func (systemd) enable(ctx context.Context, s Service, f file) (note string, err error) {
	if err := wants(f).link(f.path()); err != nil {
		return "", err
	}
	if _, err := s.host.run(ctx, "systemctl", "--user", "daemon-reload"); err != nil {
		return "no user manager of systemd answers, so the unit takes effect when one starts, which is usually the next login of the user; after su or sudo, log in directly (" + err.Error() + ")", nil //nolint:nilerr // the note has the error
	}
	// It exits with 1 for other states than enabled.
	if state, _ := s.host.run(ctx, "systemctl", "--user", "is-enabled", unit(s.instance)); state != "enabled" {
		return "", fmt.Errorf("the unit %s was written, but the user manager of systemd reports %q: check with 'systemctl --user show -p UnitPath' whether it uses the directory",
			f.path(), state)
	}
	if !lingers() {
		return "the daemon starts at the login of the user, and stops after the last logout; 'loginctl enable-linger' keeps it running from boot to shutdown", nil
	}
	return "", nil
}

// lingers reports whether the user manager runs without a login; see loginctl(1).
func lingers() bool {
	self, err := user.Current()
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join("/var/lib/systemd/linger", self.Username))
	return err == nil
}

// disable implements kind.
func (systemd) disable(_ context.Context, _ Service, f file) error {
	link := wants(f)
	if !link.linksTo(f.path()) {
		return nil
	}
	if err := link.remove(); err != nil {
		return err
	}
	// The directory is kept if it has other links.
	err := syscall.Rmdir(filepath.Dir(link.path()))
	if errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// reload implements kind. Without a user manager there is nothing to reload.
func (systemd) reload(ctx context.Context, s Service) {
	_, _ = s.host.run(ctx, "systemctl", "--user", "daemon-reload")
}

// enabled implements kind.
func (systemd) enabled(_ Service, f file) bool { return wants(f).linksTo(f.path()) }

// runtimeDir returns XDG_RUNTIME_DIR, in which the user manager listens, for a shell
// without it, such as that of su.
func runtimeDir() []string {
	dir := "/run/user/" + strconv.Itoa(os.Getuid())
	if os.Getenv("XDG_RUNTIME_DIR") != "" {
		return nil
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil
	}
	return []string{"XDG_RUNTIME_DIR=" + dir}
}
