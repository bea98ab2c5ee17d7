package lima

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

func TestBoundsDependOnImage(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "own.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		image, env string
		want       time.Duration
	}{
		{home, "", builtImage + builtBoot},
		{filepath.Join(home, "own.yaml"), "", cloudImage + cloudBoot},
		{appv1.ImageCloud, "", cloudImage + cloudBoot},
		{"", "", cloudImage + cloudBoot},
		{home, "20s", builtImage + 20*time.Second},
		{home, "-20s", builtImage + builtBoot},
		{home, "soon", builtImage + builtBoot},
	} {
		d := New(Config{Home: home, Program: []string{"/nowhere/rdd"}, Getenv: func(name string) string {
			return map[string]string{envBoot: test.env}[name]
		}})
		spec := someSpec()
		spec.VM.Image = test.image
		if got := d.StartWithin(spec); got != test.want {
			t.Errorf("image %q, %s=%q: %v, want %v", test.image, envBoot, test.env, got, test.want)
		}
	}
}

func TestAvailableNamesMissingPrograms(t *testing.T) {
	dir := t.TempDir()
	getenv := func(name string) string { return map[string]string{"PATH": dir}[name] }
	d := New(Config{Home: "/run/rdd", Socket: "/run/docker.sock", Program: []string{os.Args[0], "agent", behaves}, Getenv: getenv})
	_, err := d.Available(t.Context(), someSpec())
	for _, want := range []string{"qemu-img", "qemu-utils", "ssh-keygen", "openssh"} {
		if err == nil || runtime.GOOS == "linux" && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	for _, name := range []string{"ssh", "ssh-keygen", "qemu-img", qemuTool().name} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho QEMU emulator version 7.2.22 '(Debian)'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	reason, err := d.Available(t.Context(), someSpec())
	if want := "QEMU 7.2.22 at " + filepath.Join(dir, qemuTool().name) + ", image cloud (no image was built"; err != nil || !strings.HasPrefix(reason, want) {
		t.Errorf("%q, %v; want %q", reason, err, want)
	}
	spec := someSpec()
	spec.VM.Acceleration = appv1.AccelerationVZ
	if _, err := d.Available(t.Context(), spec); err == nil && !hasVZ {
		t.Error("vz is available")
	}
	spec = someSpec()
	spec.VM.CPUs = 0
	if _, err := d.Available(t.Context(), spec); err == nil || !strings.HasPrefix(err.Error(), "own.yaml:3: no") {
		t.Errorf("a spec that the agent refuses: %v", err)
	}
	d.cfg.Program = []string{"/nowhere/rdd"}
	if _, err := d.Available(t.Context(), someSpec()); err == nil || !strings.Contains(err.Error(), "/nowhere/rdd") {
		t.Errorf("an agent that cannot be run: %v", err)
	}
	d.cfg.Program = nil
	d.cfg.Getenv = func(name string) string {
		if name == envAgent {
			return "1"
		}
		return getenv(name)
	}
	if _, err := d.Available(t.Context(), someSpec()); err == nil || !strings.Contains(err.Error(), "starts no host agents") {
		t.Errorf("a program that was started as a host agent starts another one: %v", err)
	}
	d.cfg.Socket = "/run/" + strings.Repeat("x", 100)
	if _, err := d.Available(t.Context(), someSpec()); err == nil || !strings.Contains(err.Error(), "shorter instance name") {
		t.Errorf("a long path: %v", err)
	}
}
