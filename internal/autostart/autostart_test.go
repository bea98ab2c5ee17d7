package autostart

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// manager replaces systemctl and launchctl.
type manager struct {
	// missing is set on a machine without systemctl, absent if no user manager answers.
	missing, absent bool
	// state is the answer to is-enabled.
	state string
	calls []string
}

func (m *manager) run(_ context.Context, program string, args ...string) (string, error) {
	call := strings.Join(append([]string{program}, args...), " ")
	m.calls = append(m.calls, call)
	switch {
	case m.missing:
		return "", exec.ErrNotFound
	case strings.HasSuffix(call, "--version"):
		return "systemd 252", nil
	case m.absent:
		return "", errors.New("failed to connect to bus: No medium found")
	case strings.Contains(call, "is-enabled"):
		return m.state, nil
	}
	return "", nil
}

// service returns the autostart of an instance with a home of its own.
func service(t *testing.T, goos, name string) (Service, *manager) {
	t.Helper()
	home := instancetest.Home(t)
	inst, err := instance.New(name)
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{state: "enabled"}
	return Service{inst, host{goos: goos, home: home, uid: os.Getuid(), run: m.run}}, m
}

// program returns a program that exists.
func program(t *testing.T) Program {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Program{Path: path, Env: []string{"PATH=/usr/bin:/bin"}}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestUnitContent(t *testing.T) {
	s, _ := service(t, "linux", "work")
	got := systemd{}.render(s, Program{Path: `/opt/my "rdd"/100%/a\b`, Env: []string{"PATH=/bin:/a b", "X=$HOME%h"}})
	for _, want := range []string{
		"# " + s.mark() + "\n",
		"\nDescription=rdd and its container engine, instance work\n",
		"\nType=oneshot\nRemainAfterExit=yes\n",
		"\nEnvironment=\"PATH=/bin:/a b\"\nEnvironment=\"X=$HOME%%h\"\n",
		`ExecStart="/opt/my \"rdd\"/100%%/a\\b" --instance work svc start --timeout 5m` + "\n",
		`ExecStop="/opt/my \"rdd\"/100%%/a\\b" --instance work svc stop` + "\n",
		"\nKillMode=process\n",
		"\n[Install]\nWantedBy=default.target\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if path := (systemd{}).program(got); path != `/opt/my "rdd"/100%/a\b` {
		t.Errorf("program %s", path)
	}
}

func TestUnitNames(t *testing.T) {
	for name, want := range map[string]string{"2": "rdd.service", "work": "rdd-work.service", "A.b_c-d": "rdd-A.b_c-d.service"} {
		if got := unit(instance.Instance{Name: name}); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// systemd itself accepts the units.
func TestUnitPassesVerification(t *testing.T) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	for _, name := range []string{"2", "work", "A.b_c-d"} {
		s, _ := service(t, "linux", name)
		odd := filepath.Join(s.host.home, `my rdd 100% $HOME`)
		if err := os.WriteFile(odd, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		p := program(t)
		for _, p.Path = range []string{p.Path, odd} {
			path, _, err := s.Install(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), verify, "verify", "--user", path)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+s.host.home)
			if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), unit(s.instance)) {
				t.Errorf("%s: %v\n%s\n%s", p.Path, err, out, content(t, path))
			}
		}
	}
}

func TestAgentContent(t *testing.T) {
	s, _ := service(t, "darwin", "a--b")
	got := launchd{}.render(s, Program{Path: "/opt/R&D <x>/rdd", Env: []string{"PATH=/bin:/usr/bin", "X=a=b"}})
	decoder := xml.NewDecoder(strings.NewReader(got))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, got)
		}
	}
	flat := strings.Join(strings.Fields(got), " ")
	for _, want := range []string{
		"<!-- " + s.mark() + " -->",
		"<key>Label</key> <string>io.rancherdesktop.rdd.a--b</string>",
		"<key>ProgramArguments</key> <array> <string>/opt/R&amp;D &lt;x&gt;/rdd</string> <string>--instance</string> <string>a--b</string> <string>svc</string> <string>start</string> <string>--timeout</string> <string>5m</string> </array>",
		"<key>EnvironmentVariables</key> <dict> <key>PATH</key> <string>/bin:/usr/bin</string> <key>X</key> <string>a=b</string> </dict>",
		"<key>RunAtLoad</key> <true/>",
		"<key>AbandonProcessGroup</key> <true/>",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if path := (launchd{}).program(got); path != "/opt/R&D <x>/rdd" {
		t.Errorf("program %s", path)
	}
}

func TestInstallAndUninstall(t *testing.T) {
	for goos, want := range map[string]struct {
		file  string
		calls []string
	}{
		"linux":  {".config/systemd/user/rdd.service", []string{"systemctl --version", "systemctl --user daemon-reload", "systemctl --user is-enabled rdd.service", "systemctl --user daemon-reload"}},
		"darwin": {"Library/LaunchAgents/io.rancherdesktop.rdd.2.plist", nil},
	} {
		t.Run(goos, func(t *testing.T) {
			s, m := service(t, goos, "2")
			if got := s.State(); got.String() != "off" {
				t.Errorf("before: %s", got)
			}
			path, _, err := s.Install(t.Context(), program(t))
			if err != nil || path != filepath.Join(s.host.home, want.file) {
				t.Fatalf("%s, %v", path, err)
			}
			if got := s.State(); got.String() != "on ("+path+")" || !got.Enabled {
				t.Errorf("installed: %s", got)
			}
			if removed, kept, err := s.Uninstall(t.Context()); !removed || len(kept) > 0 || err != nil {
				t.Errorf("%v, %q, %v", removed, kept, err)
			}
			if got := s.State(); got.String() != "off" {
				t.Errorf("after: %s", got)
			}
			if want.calls != nil && !slices.Equal(m.calls, want.calls) {
				t.Errorf("calls %q", m.calls)
			}
			if removed, _, err := s.Uninstall(t.Context()); removed || err != nil {
				t.Errorf("second time: %v, %v", removed, err)
			}
			if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

func TestInstallUpdatesOwnUnit(t *testing.T) {
	s, _ := service(t, "linux", "2")
	if _, _, err := s.Install(t.Context(), Program{Path: "/gone/rdd"}); err != nil {
		t.Fatal(err)
	}
	if got := s.State(); !strings.Contains(got.String(), "/gone/rdd is missing: run 'rdd svc install'") {
		t.Errorf("without the program: %s", got)
	}
	path, _, err := s.Install(t.Context(), program(t))
	if err != nil || s.State().Trouble != "" || strings.Contains(content(t, path), "/gone") {
		t.Errorf("%v, %s", err, s.State())
	}
	// A user who has changed the unit still has rdd's unit.
	testkit.WriteFile(t, path, content(t, path)+"# changed\n")
	if err := os.Remove(filepath.Join(filepath.Dir(path), "default.target.wants", "rdd.service")); err != nil {
		t.Fatal(err)
	}
	if got := s.State(); got.Enabled || !strings.Contains(got.Trouble, "is disabled") {
		t.Errorf("disabled by the user: %s", got)
	}
	if removed, _, err := s.Uninstall(t.Context()); !removed || err != nil {
		t.Errorf("%v, %v", removed, err)
	}
}

func TestInstallWithoutUserManager(t *testing.T) {
	s, m := service(t, "linux", "2")
	m.missing = true
	_, _, err := s.Install(t.Context(), program(t))
	if err == nil || !strings.Contains(err.Error(), "has no systemd") || !strings.Contains(err.Error(), "'rdd svc start'") {
		t.Errorf("without systemd: %v", err)
	}
	if left, _ := os.ReadDir(s.host.home); len(left) > 0 {
		t.Errorf("without systemd it wrote %v", left)
	}
	m.missing, m.absent = false, true
	_, note, err := s.Install(t.Context(), program(t))
	if err != nil || !strings.Contains(note, "next login") || !strings.Contains(note, "No medium found") || !s.State().Enabled {
		t.Errorf("without a manager: %q, %v, %s", note, err, s.State())
	}
	m.absent, m.state = false, "not-found"
	if _, _, err := s.Install(t.Context(), program(t)); err == nil || !strings.Contains(err.Error(), `reports "not-found"`) {
		t.Errorf("a manager with another home: %v", err)
	}
}

// F2: rdd removes nothing that it has not written, and reaches nothing through a link.
func TestForeignUnitIsKept(t *testing.T) {
	const foreign = "[Service]\nExecStart=/usr/bin/rdd svc serve\n"
	for name, prepare := range map[string]func(t *testing.T, s Service, path string){
		"OfUser": func(t *testing.T, _ Service, path string) { testkit.WriteFile(t, path, foreign) },
		"OfOtherInstance": func(t *testing.T, s Service, path string) {
			s.instance.Dir += "-other"
			testkit.WriteFile(t, path, systemd{}.render(s, program(t)))
		},
		"Link": func(t *testing.T, s Service, path string) {
			testkit.WriteFile(t, filepath.Join(s.host.home, "mine"), systemd{}.render(s, program(t)))
			link(t, filepath.Join(s.host.home, "mine"), path)
		},
		"LinkedDirectory": func(t *testing.T, s Service, path string) {
			testkit.WriteFile(t, filepath.Join(s.host.home, "dotfiles", "rdd.service"), systemd{}.render(s, program(t)))
			link(t, filepath.Join(s.host.home, "dotfiles"), filepath.Dir(path))
		},
		"Masked":    func(t *testing.T, _ Service, path string) { link(t, os.DevNull, path) },
		"Directory": func(t *testing.T, _ Service, path string) { testkit.WriteFile(t, filepath.Join(path, "x"), "") },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := service(t, "linux", "2")
			path := systemd{}.files(s)[0].path()
			prepare(t, s, path)
			before := listing(t, s.host.home)
			if _, _, err := s.Install(t.Context(), program(t)); err == nil {
				t.Error("installed")
			}
			if got := s.State(); got.Enabled || got.Trouble == "" {
				t.Errorf("state %s", got)
			}
			if removed, _, _ := s.Uninstall(t.Context()); removed {
				t.Error("removed")
			}
			if after := listing(t, s.host.home); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
		})
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// listing lists the files below dir with their types and sizes.
func listing(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ls", "-lR", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestUnitInDefaultDirectoryIsFound(t *testing.T) {
	s, _ := service(t, "linux", "2")
	path, _, err := s.Install(t.Context(), program(t))
	if err != nil {
		t.Fatal(err)
	}
	s.host.config = filepath.Join(s.host.home, "elsewhere")
	if got := s.State(); got.File != path || !got.Enabled {
		t.Errorf("%s", got)
	}
	if removed, _, err := s.Uninstall(t.Context()); !removed || err != nil {
		t.Errorf("%v, %v", removed, err)
	}
	if path, _, err := s.Install(t.Context(), program(t)); err != nil || !strings.HasPrefix(path, s.host.config) {
		t.Errorf("%s, %v", path, err)
	}
}

func TestInstallRejectsOddPrograms(t *testing.T) {
	s, _ := service(t, "linux", "2")
	for _, p := range []Program{
		{Path: "rdd"},
		{Path: "/bin/r\ndd"},
		{Path: "/bin/\xff"},
		{Path: "/bin/it's"},
		{Path: `/bin/r"dd`},
		{Path: `/bin/r\dd`},
		{Path: "/bin/rdd", Env: []string{"PATH=/a\n/b"}},
	} {
		if _, _, err := s.Install(t.Context(), p); err == nil {
			t.Errorf("%+q is accepted", p)
		}
	}
}
