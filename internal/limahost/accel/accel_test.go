package accel

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestProbePassesWithEmulation(t *testing.T) {
	works, how, _ := run(t.Context(), needQEMU(t), TCG)
	if !works {
		t.Error(how)
	}
}

func TestProbeFailsOnUnknownAcceleration(t *testing.T) {
	works, how, _ := run(t.Context(), needQEMU(t), "no-such-accelerator")
	if works || !strings.Contains(how, "no-such-accelerator") {
		t.Errorf("works = %v, %s", works, how)
	}
}

// With a broken KVM the guest never completes its work.
func TestProbeFailsOnSlowGuest(t *testing.T) {
	crawling := filepath.Join(t.TempDir(), "qemu")
	if err := os.WriteFile(crawling, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	works, how, _ := run(t.Context(), crawling, KVM)
	if works || !strings.Contains(how, "slower than emulation") {
		t.Errorf("works = %v, %s", works, how)
	}
}

func TestChooseTakesOrRefusesRequested(t *testing.T) {
	if got, reason, err := Choose(t.Context(), TCG, ""); got != TCG || reason == "" || err != nil {
		t.Errorf("tcg: %q, %q, %v", got, reason, err)
	}
	if _, _, err := Choose(t.Context(), "turbo", ""); err == nil || !strings.Contains(err.Error(), "vm.acceleration=auto") {
		t.Errorf("an unknown one: %v", err)
	}
}

func TestChooseEmulatesWithoutDevice(t *testing.T) {
	p := prober{native: KVM, device: filepath.Join(t.TempDir(), "kvm")}
	if works, how := p.probe(t.Context()); works || !strings.Contains(how, p.device) {
		t.Errorf("works = %v, %s", works, how)
	}
}

func TestProbeResultCachedUntilChange(t *testing.T) {
	p := prober{cacheFile: filepath.Join(t.TempDir(), "probe.json")}
	now := result{BootID: "a", QEMU: "/q", At: time.Now(), Works: true, How: "tried"}
	if _, ok := p.cached(now); ok {
		t.Error("a result was found in an empty cache")
	}
	p.save(now)
	if was, ok := p.cached(now); !ok || !was.Works || was.How != "tried" {
		t.Errorf("cached = %+v, %v", was, ok)
	}
	for name, other := range map[string]result{
		"another boot": {BootID: "b", QEMU: "/q"}, "another QEMU": {BootID: "a", QEMU: "/r"}, "no boot ID": {QEMU: "/q"},
	} {
		if _, ok := p.cached(other); ok {
			t.Errorf("%s: the cached result is used", name)
		}
	}
	failed := now
	failed.Works = false
	p.save(failed)
	if _, ok := p.cached(now); !ok {
		t.Error("a recent failure is not cached")
	}
	now.At = now.At.Add(negativeTTL)
	if _, ok := p.cached(now); ok {
		t.Error("an old failure is cached")
	}
	if err := os.WriteFile(p.cacheFile, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := p.cached(now); ok {
		t.Error("a broken cache file is used")
	}
}

func needQEMU(t *testing.T) string {
	t.Helper()
	qemu, err := exec.LookPath(Program())
	if err != nil {
		t.Skip(err)
	}
	return qemu
}

// A probe whose parent was killed must end.
func TestProbeEndsWithoutParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lets one process limit another")
	}
	forever := exec.Command("/bin/sh", "-c", "while :; do :; done") //nolint:noctx // The limit ends it.
	if err := forever.Start(); err != nil {
		t.Fatal(err)
	}
	limit(forever.Process.Pid, 1)
	ended := make(chan error, 1)
	go func() { ended <- forever.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the process ended without a signal")
		}
	case <-time.After(30 * time.Second):
		t.Error("the process still runs")
		_ = forever.Process.Kill()
	}
}
