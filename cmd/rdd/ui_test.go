package main

import (
	"errors"
	"os"
	"testing"
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
