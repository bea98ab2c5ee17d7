package agent

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 200 << 20: "200 MiB", 64 << 30: "64 GiB", 5 << 40: "5 TiB",
	} {
		if got := bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestDiskTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		guest *limahost.Guest
		want  bool
	}{
		"not grown yet":   {&limahost.Guest{DiskSize: gib / 2, DiskFree: 1 << 20, Uptime: time.Minute}, false},
		"never grown":     {&limahost.Guest{DiskSize: gib / 2, DiskFree: 1 << 20, Uptime: time.Hour}, true},
		"just booted":     {&limahost.Guest{DiskSize: 60 * gib, DiskFree: 1 << 20, Uptime: time.Minute}, true},
		"not heard":       {nil, false},
		"not known":       {&limahost.Guest{}, false},
		"plenty":          {&limahost.Guest{DiskSize: 64 * gib, DiskFree: 10 * gib}, false},
		"below 2 percent": {&limahost.Guest{DiskSize: 64 * gib, DiskFree: gib}, true},
		"below 200 MB":    {&limahost.Guest{DiskSize: 2 * gib, DiskFree: 150 << 20, Uptime: time.Hour}, true},
		"small but free":  {&limahost.Guest{DiskSize: 2 * gib, DiskFree: 250 << 20}, false},
		"nothing left":    {&limahost.Guest{DiskSize: 64 * gib}, true},
	} {
		got := diskTrouble(c.guest, 64*gib)
		if (got != "") != c.want {
			t.Errorf("%s: %q", name, got)
		}
		if c.want && (!strings.Contains(got, "docker system prune") || !strings.Contains(got, "vm.disk")) {
			t.Errorf("%s: no advice in %q", name, got)
		}
	}
}

func TestMachineTrouble(t *testing.T) {
	since := time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local)
	for name, c := range map[string]struct {
		sight sight
		// says is in the text; empty for no trouble.
		says []string
	}{
		"booting":              {sight{condition: running, since: time.Time{}}, nil},
		"booting, busy":        {sight{condition: mute}, nil},
		"silent":               {sight{condition: running, since: since, up: true}, []string{"since 15:04:05", "guest hangs", "rdd vm restart"}},
		"silent, not told why": {sight{condition: unknown, since: since, up: true}, []string{"since 15:04:05"}},
		"QEMU silent":          {sight{condition: mute, since: since, up: true, pid: 7}, []string{"15:04:05", "pid 7", "asleep"}},
		"QEMU busy":            {sight{condition: mute, up: true}, nil},
		"stopped":              {sight{condition: suspended, since: since, up: true, pid: 7}, []string{"kill -CONT 7", "15:04:05"}},
		"stopped at boot":      {sight{condition: suspended, pid: 7}, []string{"kill -CONT 7"}},
		"paused":               {sight{condition: paused, up: true}, []string{"paused", "not by rdd"}},
		"host full":            {sight{condition: starved, up: true, dir: "/vm", free: 4096}, []string{"disk of this machine is full", "less than 64 MiB", "/vm", "by itself"}},
		"host full no more":    {sight{condition: starved, up: true, dir: "/vm", free: 1 << 30}, []string{"tried again", "there is space", "/vm"}},
	} {
		got := machineTrouble(c.sight)
		if len(c.says) == 0 && got != "" {
			t.Errorf("%s: %q", name, got)
		}
		for _, part := range c.says {
			if !strings.Contains(got, part) {
				t.Errorf("%s: no %q in %q", name, part, got)
			}
		}
	}
}

// vmDir is a VM's directory with a console and QEMU's log.
func vmDir(t *testing.T, console, said string) limahost.Paths {
	t.Helper()
	p := limahost.Paths{LimaHome: t.TempDir()}
	if err := os.MkdirAll(p.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{p.Console(): console, qemuLog(p): said} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestHowEnded(t *testing.T) {
	const panicked = "[ 9.1] Kernel panic - not syncing: Fatal exception\n[ 9.2] Rebooting in 1 seconds..\n"
	for name, c := range map[string]struct {
		shutdown, status, console, said string
		want, not                       string
	}{
		"panic":       {shutdown: "guest-reset", console: panicked, want: "kernel panicked: Kernel panic - not syncing: Fatal exception", not: "rebooted"},
		"reboot":      {shutdown: "guest-reset", console: "bye\n", want: "the guest rebooted"},
		"power off":   {shutdown: "guest-shutdown", said: "noise\n", want: "powered itself off", not: "noise"},
		"killed":      {status: "signal: killed", want: "pid 7, was killed or crashed (signal: killed)"},
		"adopted":     {want: "pid 7, was killed or crashed\n"},
		"signal":      {shutdown: "host-signal", said: "qemu: terminating on signal 15 from pid 1 (init)\n", want: "signal 15 from pid 1"},
		"quit":        {shutdown: "host-qmp-quit", want: "told to quit"},
		"last lines":  {console: "one\n\x1b[31mtwo\x1b[0m\n", want: "  one\n  two"},
		"no last one": {want: "is empty"},
	} {
		got := howEnded(c.shutdown, c.status, 7, vmDir(t, c.console, c.said))
		if !strings.Contains(got, c.want) || (c.not != "" && strings.Contains(got, c.not)) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNeverReady(t *testing.T) {
	p := vmDir(t, "waiting for the disk\n", "")
	for phase, says := range map[limahost.Phase]string{
		limahost.PhaseBoot: "SSH port", limahost.PhaseSSH: "no login", limahost.PhaseEngine: "engine", limahost.PhaseDisk: "phase disk",
	} {
		err := neverReady(limahost.Status{Phase: phase}, 3*time.Minute, errors.New("refused"), p)
		for _, part := range []string{"3m0s", says, "refused", "waiting for the disk"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: no %q in %v", phase, part, err)
			}
		}
	}
}
