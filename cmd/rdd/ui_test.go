package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/ui"
)

func TestBrowserOpener(t *testing.T) {
	installed := func(name string) (string, error) { return "/usr/bin/" + name, nil }
	missing := func(string) (string, error) { return "", errors.New("missing") }
	for _, test := range []struct {
		name, goos, variable, want string
		lookPath                   func(string) (string, error)
	}{
		{"X11", "linux", "DISPLAY", "/usr/bin/xdg-open", installed},
		{"Wayland", "linux", "WAYLAND_DISPLAY", "/usr/bin/xdg-open", installed},
		{"no display", "linux", "", "", installed},
		{"no xdg-open", "linux", "DISPLAY", "", missing},
		{"macOS", "darwin", "", "/usr/bin/open", installed},
	} {
		t.Run(test.name, func(t *testing.T) {
			getenv := func(name string) string {
				if name == test.variable {
					return ":0"
				}
				return ""
			}
			if got := browserOpener(test.goos, getenv, test.lookPath); got != test.want {
				t.Errorf("the opener is %q", got)
			}
		})
	}
}

func TestOpenBrowserReportsFailure(t *testing.T) {
	dir := t.TempDir()
	for text, fails := range map[string]bool{"#!/bin/sh\nexit 3\n": true, "#!/bin/sh\n[ \"$1\" = http://x/ ]\n": false} {
		if err := os.WriteFile(dir+"/open", []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := openBrowser(dir+"/open", "http://x/"); (err != nil) != fails {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A browser is not opened for a page that the daemon does not have.
func TestMissingPageIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/open", []byte("#!/bin/sh\ntouch "+dir+"/opened\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for isMissing, text := range map[bool]string{true: "http://x/login\n", false: "http://x/\n"} {
		var out, messages bytes.Buffer
		s := &session{ctx: t.Context(), out: &out, err: &messages}
		if err := (&uiCmd{}).open(s, ui.Login{URL: "http://x/login", Page: "http://x/", Missing: isMissing}, dir+"/open"); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(dir + "/opened")
		if (err == nil) == isMissing || strings.Contains(messages.String(), "npm") != isMissing || out.String() != text {
			t.Errorf("the page is missing: %v: %q %q: %v", isMissing, out.String(), messages.String(), err)
		}
		_ = os.Remove(dir + "/opened")
	}
}

// A process that has inherited the output of a report does not keep it open.
func TestReportEndsWithItsProgram(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out bytes.Buffer
	began := time.Now()
	err := runReport(ctx, 100*time.Millisecond, &out, "/bin/sh", "-c", "sleep 30 & echo $!")
	if pid, err := strconv.Atoi(strings.TrimSpace(out.String())); err != nil || syscall.Kill(pid, syscall.SIGKILL) != nil {
		t.Errorf("the report is %q: %v", out.String(), err)
	}
	if took := time.Since(began); !errors.Is(err, exec.ErrWaitDelay) || took > 10*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
}
