package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lima-vm/lima/pkg/driver/qemu"
	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// virtiofsd records its pid, makes the socket, and waits in a child. It refuses the
// directory /refused.
const virtiofsd = `#!/bin/sh
[ "$1" = --version ] && exit
[ "$4" = /refused ] && exit 1
[ -e "$2" ] && echo "an old socket" >>%[1]s
echo $$ >>%[1]s
sleep 1000 &
echo $! >>%[1]s
: >"$2"
wait
`

// fakeVirtiofsd installs a virtiofsd, and returns the file with its pids.
func fakeVirtiofsd(t *testing.T) (pids string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	program, dir := filepath.Join(home, "virtiofsd"), filepath.Join(home, ".local/share/qemu/vhost-user")
	pids = filepath.Join(home, "pids")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, fmt.Appendf(nil, virtiofsd, pids), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "fs.json"), fmt.Appendf(nil, `{"type": "fs", "binary": %q}`, program), 0o600); err != nil {
		t.Fatal(err)
	}
	return pids
}

// running returns how many of the recorded processes run.
func running(t *testing.T, pids string) (count int) {
	t.Helper()
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(line)
		}
		if p, ok := process.Find(pid); ok {
			count++
			t.Cleanup(func() { _ = endVirtiofsd(t.Context(), p) })
		}
	}
	return count
}

// Each QEMU that is started gets its own virtiofsds. Those of a failed one end.
func TestVirtiofsdEndsWithFailedStart(t *testing.T) {
	failed := errors.New("QEMU failed")
	config := func(dirs ...string) qemu.Config {
		yaml := &limayaml.LimaYAML{MountType: new(limayaml.VIRTIOFS)}
		for _, dir := range dirs {
			yaml.Mounts = append(yaml.Mounts, limayaml.Mount{Location: dir})
		}
		return qemu.Config{InstanceDir: t.TempDir(), LimaYAML: yaml}
	}
	t.Run("another port for SSH", func(t *testing.T) {
		pids, cfg := fakeVirtiofsd(t), config("/a", "/b")
		for range 2 {
			_, err := withVirtiofs(t.Context(), cfg, "/usr/bin/qemu", func() (Machine, error) {
				if n := running(t, pids); n != 4 {
					t.Errorf("%d processes run while QEMU starts, want 4", n)
				}
				return nil, fmt.Errorf("%w: %w", errPortTaken, failed)
			})
			if !errors.Is(err, errPortTaken) || !errors.Is(err, failed) {
				t.Errorf("withVirtiofs: %v", err)
			}
			if n := running(t, pids); n != 0 {
				t.Errorf("%d processes of a failed start run", n)
			}
		}
		if _, err := withVirtiofs(t.Context(), cfg, "/usr/bin/qemu", func() (Machine, error) { return nil, nil }); err != nil {
			t.Error(err)
		}
		if n := running(t, pids); n != 4 {
			t.Errorf("%d processes run with QEMU, want 4", n)
		}
	})
	t.Run("the second one", func(t *testing.T) {
		pids := fakeVirtiofsd(t)
		began := time.Now()
		_, err := withVirtiofs(t.Context(), config("/a", "/refused"), "/usr/bin/qemu", func() (Machine, error) {
			t.Error("QEMU was started")
			return nil, nil
		})
		if err == nil || !strings.Contains(err.Error(), "share /refused") {
			t.Errorf("withVirtiofs: %v after %s", err, time.Since(began))
		}
		if n := running(t, pids); n != 0 {
			t.Errorf("%d processes of a failed start run", n)
		}
	})
}
