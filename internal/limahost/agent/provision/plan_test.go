package provision

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
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/lima"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
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

func TestDiskSizeReadsQcow2AndRaw(t *testing.T) {
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
		t.Error("a missing disk has a size")
	}
}

// provisioner returns one for a built image, and a VM of it with a disk of 10 GiB.
func provisioner(t *testing.T) (p *Provisioner, dir string) {
	t.Helper()
	dir = t.TempDir()
	qcow2(t, filepath.Join(dir, image.DiskFile), gib)
	put(t, filepath.Join(dir, image.ManifestFile), `{"arch": "`+limayaml.NewArch(runtime.GOARCH)+`"}`)
	for _, name := range []string{image.KernelFile, image.InitrdFile, image.CmdlineFile} {
		put(t, filepath.Join(dir, name), "x")
	}
	home := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	configured, err := lima.Configure(home, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Unsetenv("LIMA_HOME") })
	spec := limahost.Spec{Engine: "moby", CPUs: 2, Memory: gib, Disk: 10 * gib, Image: dir, Acceleration: "tcg"}
	p = &Provisioner{Spec: spec, Paths: limahost.Paths{LimaHome: home}, Lima: configured}
	plan, err := p.Plan()
	if err != nil || plan.HasDisk {
		t.Fatalf("first plan: has disk %v, %v", plan.HasDisk, err)
	}
	qcow2(t, p.Paths.Dir()+"/diffdisk", 10*gib)
	for _, err := range []error{
		plan.Recipe.Write(p.Paths), (record.Record{Image: plan.Image, User: "rdd", Booted: true}).Save(p.Paths), limahost.Save(p.Paths.Current(), spec),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return p, dir
}

func TestPlanDecidesOnDisk(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(t *testing.T, p *Provisioner, dir string)
		hasDisk bool
		disk    string
		note    string
		fails   string
	}{
		"unchanged": {hasDisk: true, disk: "10737418240"},
		"more of everything": {
			change:  func(_ *testing.T, p *Provisioner, _ string) { p.Spec.Disk = 20 * gib },
			hasDisk: true, disk: "21474836480",
		},
		"a smaller disk": {
			change:  func(_ *testing.T, p *Provisioner, _ string) { p.Spec.Disk = gib },
			hasDisk: true, disk: "10737418240", note: "stays at 10 GiB",
		},
		"reset": {
			change: func(_ *testing.T, p *Provisioner, _ string) { p.Spec.Reset, p.Spec.Disk = "now", gib },
			disk:   "1073741824",
		},
		"agent killed while the disk was made": {
			change: func(t *testing.T, p *Provisioner, _ string) { put(t, p.Paths.Making(), "") },
			disk:   "10737418240",
		},
		"a finished reset": {
			change: func(t *testing.T, p *Provisioner, _ string) {
				put(t, resetsFile(p.Paths), `["then"]`)
				p.Spec.Reset = "then"
			},
			hasDisk: true, disk: "10737418240",
		},
		"a reset that is withdrawn": {
			change: func(t *testing.T, p *Provisioner, _ string) {
				previous := p.Spec
				previous.Reset = "then"
				if err := limahost.Save(p.Paths.Current(), previous); err != nil {
					t.Fatal(err)
				}
			},
			hasDisk: true, disk: "10737418240",
		},
		"unreadable resets": {
			change: func(t *testing.T, p *Provisioner, _ string) {
				put(t, resetsFile(p.Paths), "{")
				p.Spec.Reset = "now"
			},
			fails: "'rdd vm reset'",
		},
		"unreadable record": {
			change: func(t *testing.T, p *Provisioner, _ string) { put(t, p.Paths.Record(), `{"image": 7}`) },
			fails:  "'rdd vm reset'",
		},
		"missing record": {
			change: func(t *testing.T, p *Provisioner, _ string) {
				if err := os.Remove(p.Paths.Record()); err != nil {
					t.Fatal(err)
				}
			},
			fails: "'rdd vm reset'",
		},
		"unreadable spec": {
			change:  func(t *testing.T, p *Provisioner, _ string) { put(t, p.Paths.Current(), "{") },
			hasDisk: true, disk: "10737418240",
		},
		"another image, no engine was ever ready": {
			change: func(t *testing.T, p *Provisioner, dir string) {
				rec, _, err := record.Load(p.Paths)
				rec.Image.Path, rec.Booted = filepath.Join(dir, "broken"), false
				if err != nil || rec.Save(p.Paths) != nil {
					t.Fatal(err)
				}
			},
			disk: "10737418240",
		},
		"disk removed by hand": {
			change: func(t *testing.T, p *Provisioner, _ string) {
				if err := os.Remove(p.Paths.Dir() + "/diffdisk"); err != nil {
					t.Fatal(err)
				}
			},
			disk: "10737418240",
		},
		"image gone": {
			change: func(t *testing.T, _ *Provisioner, dir string) {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			},
			hasDisk: true, disk: "10737418240",
		},
		"image gone, reset": {
			change: func(t *testing.T, p *Provisioner, dir string) {
				p.Spec.Reset = "now"
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			},
			fails: "does not exist",
		},
		"another image": {
			change:  func(_ *testing.T, p *Provisioner, _ string) { p.Spec.Image = "cloud" },
			hasDisk: true, disk: "10737418240", note: "'rdd vm reset' makes a new one from cloud",
		},
		"invalid lima.yaml": {
			change: func(t *testing.T, p *Provisioner, dir string) {
				p.Spec.Image = filepath.Join(dir, "lima.yaml")
				put(t, p.Spec.Image, "images: 7\n")
			},
			fails: "lima.yaml:1: ",
		},
		"missing lima.yaml": {
			change: func(_ *testing.T, p *Provisioner, _ string) { p.Spec.Image = "/nowhere/lima.yaml" },
			fails:  "/nowhere/lima.yaml does not exist",
		},
	} {
		p, dir := provisioner(t)
		if c.change != nil {
			c.change(t, p, dir)
		}
		plan, err := p.Plan()
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case plan.HasDisk != c.hasDisk || *plan.Recipe.Config.Disk != c.disk || !strings.Contains(plan.Note, c.note) || (plan.Note == "") != (c.note == ""):
			t.Errorf("%s: has disk %v, disk %s, note %q", name, plan.HasDisk, *plan.Recipe.Config.Disk, plan.Note)
		}
	}
}
