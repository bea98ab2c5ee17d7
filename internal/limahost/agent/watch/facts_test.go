package watch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/machine"
)

const gib = 1 << 30

func TestDiskTroubleWhenNearlyFull(t *testing.T) {
	for name, c := range map[string]struct {
		guest *limahost.Guest
		want  bool
	}{
		"not grown yet":   {&limahost.Guest{DiskSize: gib / 2, DiskFree: 1 << 20, Uptime: time.Minute}, false},
		"never grown":     {&limahost.Guest{DiskSize: gib / 2, DiskFree: 1 << 20, Uptime: time.Hour}, true},
		"just booted":     {&limahost.Guest{DiskSize: 60 * gib, DiskFree: 1 << 20, Uptime: time.Minute}, true},
		"no heartbeat":    {nil, false},
		"size unknown":    {&limahost.Guest{}, false},
		"plenty":          {&limahost.Guest{DiskSize: 64 * gib, DiskFree: 10 * gib}, false},
		"below 2 percent": {&limahost.Guest{DiskSize: 64 * gib, DiskFree: gib}, true},
		"below 200 MB":    {&limahost.Guest{DiskSize: 2 * gib, DiskFree: 150 << 20, Uptime: time.Hour}, true},
		"small but free":  {&limahost.Guest{DiskSize: 2 * gib, DiskFree: 250 << 20}, false},
		"nothing free":    {&limahost.Guest{DiskSize: 64 * gib}, true},
	} {
		got := diskTrouble(c.guest, 64*gib)
		if (got != "") != c.want {
			t.Errorf("%s: %q", name, got)
		}
		if c.want && (!strings.Contains(got, "docker system prune") || !strings.Contains(got, "vm.disk")) {
			t.Errorf("%s: no next step in %q", name, got)
		}
	}
}

func TestReportFollowsFromFacts(t *testing.T) {
	since := time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local)
	probe := func(c machine.Condition) *observation { return &observation{condition: c} }
	full := &limahost.Guest{DiskSize: 64 * gib}
	silent := facts{everConnected: true, silentSince: since}
	with := func(f facts, change func(*facts)) facts {
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		facts facts
		// says has parts of the trouble; empty for no trouble.
		says []string
		note string
	}{
		"nothing known":              {facts: facts{}},
		"booting":                    {facts: facts{observation: probe(machine.Running)}},
		"booting, QEMU busy":         {facts: facts{observation: probe(machine.Unresponsive)}},
		"healthy":                    {facts: facts{connected: true, responsive: true, everConnected: true, observation: probe(machine.Running)}},
		"QEMU busy, guest answers":   {facts: facts{connected: true, responsive: true, everConnected: true, observation: probe(machine.Unresponsive)}},
		"reconnecting within grace":  {facts: with(silent, func(f *facts) { f.responsive, f.observation = true, probe(machine.Running) })},
		"silent, not probed yet":     {facts: silent},
		"silent":                     {facts: with(silent, func(f *facts) { f.observation = probe(machine.Running) }), says: []string{"since 15:04:05", "guest hangs", "rdd vm restart"}},
		"silent, cannot be probed":   {facts: with(silent, func(f *facts) { f.observation = probe(machine.Unknown) }), says: []string{"since 15:04:05"}},
		"silent, QEMU silent too":    {facts: with(silent, func(f *facts) { f.observation, f.pid = probe(machine.Unresponsive), 7 }), says: []string{"15:04:05", "pid 7", "asleep"}},
		"silent, QEMU suspended":     {facts: with(silent, func(f *facts) { f.observation, f.pid = probe(machine.Suspended), 7 }), says: []string{"kill -CONT 7", "15:04:05"}},
		"suspended at boot":          {facts: facts{observation: probe(machine.Suspended), pid: 7}, says: []string{"kill -CONT 7"}},
		"paused by another program":  {facts: facts{connected: true, responsive: true, observation: probe(machine.Paused)}, says: []string{"paused by another program"}},
		"host's disk full":           {facts: facts{observation: &observation{machine.OutOfSpace, 4096}, dir: "/vm"}, says: []string{"disk of this machine is full", "less than 64 MiB", "/vm", "rdd resumes"}},
		"host's disk no longer full": {facts: facts{observation: &observation{machine.OutOfSpace, gib}, dir: "/vm"}, says: []string{"paused because", "there is space now", "/vm"}},
		"no socket":                  {facts: facts{connected: true, socketTrouble: "no socket"}, says: []string{"no socket"}},
		"no shared directories":      {facts: facts{connected: true, virtiofsd: 9}, says: []string{"directories of this machine", "pid 9", "rdd vm restart"}},
		"guest's disk full":          {facts: facts{connected: true, guest: full, diskSize: 64 * gib}, says: []string{"the VM's disk is full"}},
		"a worse trouble hides it":   {facts: with(silent, func(f *facts) { f.observation, f.guest = probe(machine.Running), full }), says: []string{"guest hangs"}},
		"notes are joined":           {facts: facts{machineNote: "an old disk", portNote: "no port 80"}, note: "an old disk; no port 80"},
		"a note on ports":            {facts: facts{portNote: "no port 80"}, note: "no port 80"},
		"a note on the disk":         {facts: facts{machineNote: "an old disk"}, note: "an old disk"},
	} {
		got := c.facts.report()
		if len(c.says) == 0 && got.trouble != "" || got.note != c.note {
			t.Errorf("%s: %+v", name, got)
		}
		for _, part := range c.says {
			if !strings.Contains(got.trouble, part) {
				t.Errorf("%s: no %q in %q", name, part, got.trouble)
			}
		}
	}
}

// Each change of a text is written to the App. A full disk whose free space changes must
// not cause a write at each heartbeat.
func TestTroubleStaysWhileFreeSpaceChanges(t *testing.T) {
	guest := func(free int64) string {
		return diskTrouble(&limahost.Guest{DiskSize: 64 * gib, DiskFree: free, Uptime: time.Hour}, 64*gib)
	}
	host := func(free int64) string {
		return facts{observation: &observation{machine.OutOfSpace, free}, dir: "/d"}.report().trouble
	}
	for what, texts := range map[string][2]string{
		"guest":   {guest(100 << 20), guest(101 << 20)},
		"host":    {host(1 << 20), host(2 << 20)},
		"resumed": {host(1 * gib), host(2 * gib)},
	} {
		if texts[0] == "" || texts[0] != texts[1] {
			t.Errorf("%s: %q and then %q", what, texts[0], texts[1])
		}
	}
}

func TestBootErrorNamesReachedPhase(t *testing.T) {
	log := filepath.Join(t.TempDir(), "serial.log")
	if err := os.WriteFile(log, []byte("waiting for the disk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for phase, says := range map[limahost.Phase]string{
		limahost.PhaseBoot: "SSH port", limahost.PhaseSSH: "no login", limahost.PhaseEngine: "engine", limahost.PhaseDisk: "phase disk",
	} {
		err := bootError(phase, 3*time.Minute, errors.New("refused"), log)
		for _, part := range []string{"3m0s", says, "refused", "waiting for the disk"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: no %q in %v", phase, part, err)
			}
		}
	}
}
