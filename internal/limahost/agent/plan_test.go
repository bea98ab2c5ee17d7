package agent

import (
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

const gib = 1 << 30

// qcow2 writes the header of an image.
func qcow2(t *testing.T, path string, size int64) {
	t.Helper()
	header := make([]byte, 104)
	copy(header, "QFI\xfb")
	binary.BigEndian.PutUint32(header[4:], 3)
	binary.BigEndian.PutUint64(header[24:], uint64(size))
	put(t, path, string(header))
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDiskSize(t *testing.T) {
	dir := t.TempDir()
	qcow2(t, dir+"/q", 7*gib)
	put(t, dir+"/raw", strings.Repeat("x", 1000))
	put(t, dir+"/small", "x")
	put(t, dir+"/empty", "")
	for name, want := range map[string]int64{"q": 7 * gib, "raw": 1000, "small": 1, "empty": 0} {
		if got, err := diskSize(filepath.Join(dir, name)); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", name, got, err, want)
		}
	}
	if _, err := diskSize(dir + "/none"); err == nil {
		t.Error("a disk that is not there has a size")
	}
}

// workshop is an agent for a built image, and a VM of it that has a disk of 10 GiB.
func workshop(t *testing.T) (a *agent, dir string) {
	t.Helper()
	dir = t.TempDir()
	qcow2(t, filepath.Join(dir, image.DiskFile), gib)
	put(t, filepath.Join(dir, image.ManifestFile), `{"arch": "`+limayaml.NewArch(runtime.GOARCH)+`"}`)
	for _, name := range []string{image.KernelFile, image.InitrdFile, image.CmdlineFile} {
		put(t, filepath.Join(dir, name), "x")
	}
	home := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	lima, err := surround(home, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Unsetenv("LIMA_HOME") })
	spec := limahost.Spec{Engine: "moby", CPUs: 2, Memory: gib, Disk: 10 * gib, Image: dir, Acceleration: "tcg"}
	a = &agent{
		cfg: limahost.Config{LimaHome: home, Spec: spec}, paths: limahost.Paths{LimaHome: home},
		lima: lima, log: log, board: newBoard(limahost.Status{}),
	}
	pl, err := a.makePlan()
	if err != nil || pl.keep {
		t.Fatalf("first plan: keep %v, %v", pl.keep, err)
	}
	qcow2(t, a.paths.Dir()+"/diffdisk", 10*gib)
	for _, err := range []error{
		pl.recipe.Write(a.paths), (record{Image: pl.image, User: "rdd", Booted: true}).save(a.paths), limahost.Save(a.paths.Current(), spec),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return a, dir
}

func TestPlans(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, a *agent, dir string)
		keep   bool
		disk   string
		note   string
		fails  string
	}{
		"as it is": {keep: true, disk: "10737418240"},
		"more of everything": {
			change: func(_ *testing.T, a *agent, _ string) { a.cfg.Spec.Disk = 20 * gib },
			keep:   true, disk: "21474836480",
		},
		"a smaller disk": {
			change: func(_ *testing.T, a *agent, _ string) { a.cfg.Spec.Disk = gib },
			keep:   true, disk: "10737418240", note: "stays at 10 GiB",
		},
		"reset": {
			change: func(_ *testing.T, a *agent, _ string) { a.cfg.Spec.Reset, a.cfg.Spec.Disk = "now", gib },
			disk:   "1073741824",
		},
		"killed while it was made": {
			change: func(t *testing.T, a *agent, _ string) { put(t, a.paths.Making(), "") },
			disk:   "10737418240",
		},
		"an old reset that comes back": {
			change: func(t *testing.T, a *agent, _ string) {
				put(t, resetsFile(a.paths), `["then"]`)
				a.cfg.Spec.Reset = "then"
			},
			keep: true, disk: "10737418240",
		},
		"a reset that is taken back": {
			change: func(t *testing.T, a *agent, _ string) {
				was := a.cfg.Spec
				was.Reset = "then"
				if err := limahost.Save(a.paths.Current(), was); err != nil {
					t.Fatal(err)
				}
			},
			keep: true, disk: "10737418240",
		},
		"resets that cannot be read": {
			change: func(t *testing.T, a *agent, _ string) {
				put(t, resetsFile(a.paths), "{")
				a.cfg.Spec.Reset = "now"
			},
			fails: "'rdd vm reset'",
		},
		"a record that cannot be read": {
			change: func(t *testing.T, a *agent, _ string) { put(t, a.paths.Record(), `{"image": 7}`) },
			fails:  "'rdd vm reset'",
		},
		"a record that is gone": {
			change: func(t *testing.T, a *agent, _ string) {
				if err := os.Remove(a.paths.Record()); err != nil {
					t.Fatal(err)
				}
			},
			fails: "'rdd vm reset'",
		},
		"a specification that cannot be read": {
			change: func(t *testing.T, a *agent, _ string) { put(t, a.paths.Current(), "{") },
			keep:   true, disk: "10737418240",
		},
		"another image, after one that never came up": {
			change: func(t *testing.T, a *agent, dir string) {
				rec, _, err := loadRecord(a.paths)
				rec.Image.Path, rec.Booted = filepath.Join(dir, "broken"), false
				if err != nil || rec.save(a.paths) != nil {
					t.Fatal(err)
				}
			},
			disk: "10737418240",
		},
		"disk removed by hand": {
			change: func(t *testing.T, a *agent, _ string) {
				if err := os.Remove(a.paths.Dir() + "/diffdisk"); err != nil {
					t.Fatal(err)
				}
			},
			disk: "10737418240",
		},
		"image gone": {
			change: func(t *testing.T, _ *agent, dir string) {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			},
			keep: true, disk: "10737418240",
		},
		"image gone, reset": {
			change: func(t *testing.T, a *agent, dir string) {
				a.cfg.Spec.Reset = "now"
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			},
			fails: "does not exist",
		},
		"another image": {
			change: func(_ *testing.T, a *agent, _ string) { a.cfg.Spec.Image = "cloud" },
			keep:   true, disk: "10737418240", note: "'rdd vm reset' makes a new one from cloud",
		},
		"a lima.yaml that is not valid": {
			change: func(t *testing.T, a *agent, dir string) {
				a.cfg.Spec.Image = filepath.Join(dir, "lima.yaml")
				put(t, a.cfg.Spec.Image, "images: 7\n")
			},
			fails: "lima.yaml:1: ",
		},
		"a lima.yaml that is not there": {
			change: func(_ *testing.T, a *agent, _ string) { a.cfg.Spec.Image = "/nowhere/lima.yaml" },
			fails:  "/nowhere/lima.yaml does not exist",
		},
	} {
		a, dir := workshop(t)
		if c.change != nil {
			c.change(t, a, dir)
		}
		pl, err := a.makePlan()
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case pl.keep != c.keep || *pl.recipe.Config.Disk != c.disk || !strings.Contains(pl.note, c.note) || (pl.note == "") != (c.note == ""):
			t.Errorf("%s: keep %v, disk %s, note %q", name, pl.keep, *pl.recipe.Config.Disk, pl.note)
		}
	}
}

func TestProgram(t *testing.T) {
	t.Setenv("QEMU_SYSTEM_AARCH64", "/opt/qemu/qemu-system-aarch64")
	t.Setenv("QEMU_SYSTEM_X86_64", "")
	for _, c := range []struct{ arch, acceleration, variable, value string }{
		{limayaml.X8664, "kvm", "QEMU_SYSTEM_X86_64", "qemu-system-x86_64 -no-reboot"},
		{limayaml.AARCH64, "hvf", "QEMU_SYSTEM_AARCH64", "/opt/qemu/qemu-system-aarch64 -no-reboot"},
		{limayaml.RISCV64, "tcg", "QEMU_SYSTEM_RISCV64", "qemu-system-riscv64 -no-reboot"},
	} {
		if variable, value := program(c.arch, c.acceleration); variable != c.variable || value != c.value {
			t.Errorf("%s with %s: %s=%q", c.arch, c.acceleration, variable, value)
		}
	}
	if runtime.GOARCH == "amd64" {
		if _, value := program(limayaml.X8664, "tcg"); !strings.Contains(value, "-no-reboot -machine q35,vmport=off -accel tcg") {
			t.Errorf("emulated: %q", value)
		}
	}
}
