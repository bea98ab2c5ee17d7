// Package autostart starts the daemon of an instance when the user logs in: with a user
// unit of systemd on Linux, and with an agent of launchd on macOS.
//
// Reading map:
//
//	autostart.go  installs, removes and inspects the autostart of an instance
//	file.go       a file that is reached through no link, and recognised by its content
//	systemd.go    the unit, and systemd's user manager
//	launchd.go    the agent
package autostart

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// Program is what starts at login.
type Program struct {
	// Path is the absolute path of rdd.
	Path string
	// Env has variables as NAME=VALUE.
	Env []string
}

// State is the state of an autostart.
type State struct {
	Enabled bool `json:"enabled"`
	// File is the file that rdd has written; empty if there is none.
	File string `json:"file,omitempty"`
	// Trouble is why the autostart does not work, or cannot be inspected.
	Trouble string `json:"trouble,omitempty"`
}

// String describes the state for a user.
func (s State) String() string {
	text := "off"
	if s.Enabled {
		text = "on (" + s.File + ")"
	}
	if s.Trouble != "" {
		text += ": " + s.Trouble
	}
	return text
}

// Service is the autostart of one instance.
type Service struct {
	instance instance.Instance
	host     host
}

// host has what differs between machines and users.
type host struct {
	goos string
	home string
	// config is XDG_CONFIG_HOME.
	config string
	uid    int
	// run runs a program, and returns its output without the last newline.
	run func(ctx context.Context, program string, args ...string) (string, error)
}

// New returns the autostart of an instance.
func New(inst instance.Instance) (Service, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return Service{}, fmt.Errorf("find the home directory: %w: set HOME and repeat the command", err)
	}
	return Service{inst, host{
		goos: runtime.GOOS, home: home, config: os.Getenv("XDG_CONFIG_HOME"), uid: os.Getuid(), run: run,
	}}, nil
}

// runTimeout bounds a call of systemctl or launchctl.
const runTimeout = 10 * time.Second

func run(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), runtimeDir()...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		err = fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
		if text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
	}
	return text, err
}

// kind is the service manager of a system.
type kind interface {
	// files returns the places where the file can be. The first one is for a new file.
	files(s Service) []file
	// render returns the content of the file.
	render(s Service, p Program) string
	// program returns the path of rdd in such a content.
	program(content string) string
	// check returns an error if the machine lacks the service manager, or if it cannot
	// start the program.
	check(ctx context.Context, s Service, p Program) error
	// enable makes the service manager use the file. note is what a user should know.
	enable(ctx context.Context, s Service, f file) (note string, err error)
	// disable undoes enable, before the removal of the file.
	disable(ctx context.Context, s Service, f file) error
	// reload makes the service manager notice the removal.
	reload(ctx context.Context, s Service)
	// enabled reports whether the service manager uses the file.
	enabled(s Service, f file) bool
}

func (s Service) kind() kind {
	if s.host.goos == "darwin" {
		return launchd{}
	}
	return systemd{}
}

// Install writes the file and enables it, or updates both. It does not start the daemon.
// note is what a user should know.
func (s Service) Install(ctx context.Context, p Program) (path, note string, err error) {
	k := s.kind()
	if err := p.check(); err != nil {
		return "", "", err
	}
	if err := k.check(ctx, s, p); err != nil {
		return "", "", err
	}
	f := k.files(s)[0]
	if err := s.write(f, k.render(s, p)); err != nil {
		return "", "", fmt.Errorf("start instance %q at login: %w", s.instance.Name, err)
	}
	note, err = k.enable(ctx, s, f)
	if err != nil {
		return "", "", fmt.Errorf("start instance %q at login: %w", s.instance.Name, err)
	}
	return f.path(), note, nil
}

// check returns an error if the program cannot be written into a file of a service
// manager.
func (p Program) check() error {
	if !filepath.IsAbs(p.Path) {
		return fmt.Errorf("the path of rdd, %q, is not absolute: run it by its absolute path", p.Path)
	}
	for _, text := range append([]string{p.Path}, p.Env...) {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("%q has characters that no unit can contain: rename the file, or change the variable, and repeat the command", text)
		}
	}
	return nil
}

// Uninstall disables and removes the file. A file that Install has not written is kept
// and returned. removed is false if there was none of rdd's.
func (s Service) Uninstall(ctx context.Context) (removed bool, kept []string, err error) {
	k := s.kind()
	var errs []error
	for _, f := range k.files(s) {
		own, found, err := s.own(f)
		switch {
		case err != nil:
			errs = append(errs, err)
		case own:
			if err := errors.Join(k.disable(ctx, s, f), f.remove()); err != nil {
				errs = append(errs, err)
				continue
			}
			removed = true
		case found:
			kept = append(kept, f.path())
		}
	}
	if removed && len(errs) == 0 {
		k.reload(ctx, s)
	}
	if err := errors.Join(errs...); err != nil {
		return removed, kept, fmt.Errorf("remove the autostart of instance %q: %w", s.instance.Name, err)
	}
	return removed, kept, nil
}

// State inspects the autostart.
func (s Service) State() State {
	k := s.kind()
	var state State
	for _, f := range k.files(s) {
		content, found, err := f.read()
		switch {
		case err != nil:
			state.Trouble = err.Error()
			continue
		case !found:
			continue
		case !s.wrote(content):
			state.Trouble = f.path() + " was not written by 'rdd svc install'"
			continue
		}
		state = State{Enabled: k.enabled(s, f), File: f.path()}
		if !state.Enabled {
			state.Trouble = f.path() + " is disabled: 'rdd svc install' enables it"
		} else if program := k.program(content); !isExecutable(program) {
			state.Trouble = program + " is missing: run 'rdd svc install' with the new rdd"
		}
		return state
	}
	return state
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// mark is a text in the content of the instance's own file, and in no other one.
func (s Service) mark() string {
	sum := sha256.Sum256([]byte(s.instance.Name + "\x00" + s.instance.Dir))
	return "Written by 'rdd svc install', which 'rdd svc uninstall' undoes (" + hex.EncodeToString(sum[:8]) + ")."
}

// wrote reports whether Install has written a content for this instance.
func (s Service) wrote(content string) bool { return strings.Contains(content, s.mark()) }

// own reports whether a file exists, and whether Install has written it.
func (s Service) own(f file) (own, found bool, err error) {
	content, found, err := f.read()
	return found && s.wrote(content), found, err
}

// write writes the instance's own file. It replaces no other one.
func (s Service) write(f file, content string) error {
	own, found, err := s.own(f)
	if err != nil {
		return err
	}
	if found && !own {
		return fmt.Errorf("%s exists, and 'rdd svc install' has not written it: move it away, and repeat the command", f.path())
	}
	return f.write(content)
}
