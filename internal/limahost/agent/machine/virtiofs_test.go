package machine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lima-vm/lima/pkg/driver/qemu"
	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// fakeVirtiofsd is rdd's program. Like the real one, it creates the sockets in its input,
// except /refused, and ends with its input. It keeps running if its input has /stays.
const fakeVirtiofsd = `#!/bin/sh
read -r shares
case $shares in *'"/refused"'*) echo "no such directory"; exit 1 ;; esac
for socket in $(echo "$shares" | tr '"' '\n' | grep sock); do : >"$socket"; done
read -r line
case $shares in *'"/stays"'*) trap '' TERM; while :; do sleep 0.1; done ;; esac
`

// launcher returns a launcher, and a configuration that shares directories.
func launcher(t *testing.T, dirs ...string) (*Launcher, qemu.Config) {
	t.Helper()
	p := vmDir(t, "", "")
	program := filepath.Join(t.TempDir(), "rdd")
	if err := os.WriteFile(program, []byte(fakeVirtiofsd), 0o700); err != nil {
		t.Fatal(err)
	}
	yaml := &limayaml.LimaYAML{MountType: new(limayaml.VIRTIOFS)}
	for _, dir := range dirs {
		yaml.Mounts = append(yaml.Mounts, limayaml.Mount{Location: dir, Writable: new(true)})
	}
	t.Cleanup(func() { _ = EndVirtiofsd(context.Background(), p) })
	return &Launcher{Paths: p, Program: program, Log: slog.New(slog.DiscardHandler)}, qemu.Config{InstanceDir: p.Dir(), LimaYAML: yaml}
}

// Each QEMU that is started gets its own virtiofsd. That of a failed one ends.
func TestVirtiofsdEndsWithFailedStart(t *testing.T) {
	failed := errors.New("QEMU failed")
	for _, last := range []string{"/b", "/stays"} {
		l, cfg := launcher(t, "/a", last)
		for range 2 {
			var during process.Process
			_, err := l.withVirtiofs(t.Context(), cfg, func() (Machine, error) {
				if during = Virtiofsd(l.Paths); !during.Alive() {
					t.Error("no virtiofsd runs while QEMU starts")
				}
				return nil, fmt.Errorf("%w: %w", errPortTaken, failed)
			})
			if !errors.Is(err, errPortTaken) || !errors.Is(err, failed) {
				t.Errorf("withVirtiofs: %v", err)
			}
			if during.Alive() {
				t.Errorf("the virtiofsd of a failed start runs, with %s", last)
			}
		}
	}
}

func TestRefusedShareFailsStart(t *testing.T) {
	l, cfg := launcher(t, "/a", "/refused")
	began := time.Now()
	_, err := l.withVirtiofs(t.Context(), cfg, func() (Machine, error) {
		t.Error("QEMU was started")
		return nil, nil
	})
	if err == nil || !strings.Contains(err.Error(), "share /a") || !strings.Contains(err.Error(), "no such directory") {
		t.Errorf("withVirtiofs: %v after %s", err, time.Since(began))
	}
	if Virtiofsd(l.Paths).Alive() {
		t.Error("the virtiofsd of a failed start runs")
	}
}

// A machine without directories has no virtiofsd, and a former one has ended.
func TestStartEndsFormerVirtiofsd(t *testing.T) {
	l, cfg := launcher(t, "/stays")
	if _, err := l.withVirtiofs(t.Context(), cfg, func() (Machine, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	former := Virtiofsd(l.Paths)
	if !former.Alive() {
		t.Fatal("the virtiofsd has ended")
	}
	cfg.LimaYAML.Mounts = nil
	if _, err := l.withVirtiofs(t.Context(), cfg, func() (Machine, error) { return nil, nil }); err != nil {
		t.Error(err)
	}
	if former.Alive() || Virtiofsd(l.Paths).PID != 0 {
		t.Error("the former virtiofsd runs")
	}
}

// A record of an earlier boot, or of another process with the same pid, ends nothing.
func TestVirtiofsdRecordIsVerified(t *testing.T) {
	p := vmDir(t, "", "")
	self, _ := process.Find(os.Getpid())
	for _, rec := range []virtiofsdRecord{
		{self.PID, self.Start, "another boot"}, {self.PID, self.Start + 1, process.BootID()},
	} {
		if err := limahost.Save(p.Virtiofsd(), rec); err != nil {
			t.Fatal(err)
		}
		if Virtiofsd(p).Alive() {
			t.Errorf("%+v is a virtiofsd", rec)
		}
		if err := EndVirtiofsd(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
}

func TestSharedMemoryIsMemfd(t *testing.T) {
	args := []string{"-m", "768", "-object", "memory-backend-file,id=virtiofs-shm,size=805306368,mem-path=/dev/shm,share=on", "-numa", "node,memdev=virtiofs-shm"}
	want := slices.Clone(args)
	want[3] = "memory-backend-memfd,id=virtiofs-shm,size=805306368,share=on"
	if got := withSharedMemory(args); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
