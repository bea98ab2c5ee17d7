package recipe

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/version"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

const gib = 1 << 30

// home returns a Lima home in a temporary directory.
func home(t *testing.T) limahost.Paths {
	t.Helper()
	p := limahost.Paths{LimaHome: t.TempDir()}
	t.Setenv("LIMA_HOME", p.LimaHome)
	// The host agent sets the same variable.
	version.Version = "1.2.2"
	return p
}

// image makes a directory like that of a built image.
func builtImage(t *testing.T, arch string, leaveOut ...string) string {
	t.Helper()
	dir := t.TempDir()
	manifest, err := json.Marshal(map[string]string{"arch": arch})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		image.ManifestFile: string(manifest), image.DiskFile: "disk", image.KernelFile: "kernel", image.InitrdFile: "initrd",
		image.CmdlineFile: "root=/dev/vda rw quiet\n",
	} {
		testkit.WriteFile(t, filepath.Join(dir, name), text)
	}
	for _, name := range leaveOut {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func spec() limahost.Spec {
	return limahost.Spec{Engine: "moby", CPUs: 2, Memory: 2 * gib, Disk: 64 * gib, Acceleration: "tcg"}
}

func here() string { return limayaml.NewArch(runtime.GOARCH) }

func TestReadBuiltImage(t *testing.T) {
	p := home(t)
	dir := builtImage(t, here())
	r, err := Read(image.Image{Kind: image.KindBuilt, Path: dir}, spec(), p)
	if err != nil {
		t.Fatal(err)
	}
	y := r.Config
	if *y.CPUs != 2 || *y.Memory != "2147483648" || *y.Disk != "68719476736" || *y.VMType != limayaml.QEMU {
		t.Errorf("%s", r.Text())
	}
	if *y.User.Name != "rdd" || *y.User.UID != 1000 || *y.User.Home != "/home/rdd" {
		t.Errorf("user %+v", y.User)
	}
	if !*y.Firmware.LegacyBIOS || len(y.Mounts) > 0 || *y.Containerd.User || *y.Containerd.System || *y.HostResolver.Enabled {
		t.Errorf("%s", r.Text())
	}
	first := y.Images[0]
	if first.Location != dir+"/disk.qcow2" || first.Kernel.Cmdline != "root=/dev/vda rw quiet" || first.Initrd.Location != dir+"/initrd" {
		t.Errorf("image %+v", first)
	}
	if len(y.DNS) != 1 || y.DNS[0].String() != nameserver {
		t.Errorf("nameservers %v", y.DNS)
	}
	// Lima reads the same from its home.
	if err := r.Write(mkdir(t, p)); err != nil {
		t.Fatal(err)
	}
	read, err := limayaml.Load(r.Text(), limaYAML(p))
	if err != nil || *read.Memory != *y.Memory || *read.User.Home != *y.User.Home {
		t.Errorf("Lima reads %+v, %v", read, err)
	}
}

func mkdir(t *testing.T, p limahost.Paths) limahost.Paths {
	t.Helper()
	if err := os.MkdirAll(p.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReadRefusesIncompleteImage(t *testing.T) {
	p := home(t)
	for name, dir := range map[string]string{
		"architecture s390x":  builtImage(t, "s390x"),
		"kernel":              builtImage(t, here(), image.KernelFile),
		"cmdline":             builtImage(t, here(), image.CmdlineFile),
		"read the VM's image": t.TempDir(),
	} {
		if _, err := Read(image.Image{Kind: image.KindBuilt, Path: dir}, spec(), p); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "make vm-image") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const usersOwn = `# my VM
user:
  name: me
cpus: 8
memory: 1GiB
images:
- location: https://example.com/disk.qcow2
  arch: x86_64
- location: https://example.com/disk-arm.qcow2
  arch: aarch64
provision:
- mode: system
  script: |
    #!/bin/sh
    echo hello
hostResolver:
  hosts:
    a: b
mounts:
- location: "~"
  mountPoint: /mnt/home
`

func TestReadMergesUserLimaYAML(t *testing.T) {
	p := home(t)
	file := filepath.Join(t.TempDir(), "lima.yaml")
	testkit.WriteFile(t, file, usersOwn)
	r, err := Read(image.Image{Kind: image.KindFile, Path: file}, spec(), p)
	if err != nil {
		t.Fatal(err)
	}
	y := r.Config
	if *y.CPUs != 2 || *y.Memory != "2147483648" || *y.Disk != "68719476736" {
		t.Errorf("the spec has no precedence: %d, %s, %s", *y.CPUs, *y.Memory, *y.Disk)
	}
	if *y.User.Name != "me" || *y.User.UID != 1000 || len(y.Provision) != 1 || len(y.Mounts) != 1 || *y.MountType != limayaml.NINEP {
		t.Errorf("the user's fields are missing: %+v", y)
	}
	if string(r.Text()) != usersOwn {
		t.Errorf("the user's text became %s", r.Text())
	}
	if !strings.Contains(r.Note, "hostResolver.hosts") {
		t.Errorf("note %q", r.Note)
	}
	if err := r.Write(mkdir(t, p)); err != nil {
		t.Fatal(err)
	}
	read, err := limayaml.Load(r.Text(), limaYAML(p))
	if err != nil || *read.CPUs != 2 || *read.User.Name != "me" || *read.Containerd.User || *read.HostResolver.Enabled {
		t.Errorf("Lima reads %+v, %v", read, err)
	}
	// A built image has none of these fields afterwards.
	dir := builtImage(t, here())
	if r, err = Read(image.Image{Kind: image.KindBuilt, Path: dir}, spec(), p); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(p); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(p.LimaHome, "_config", "*.yaml")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestReadCloudImage(t *testing.T) {
	r, err := Read(image.Image{Kind: image.KindCloud}, spec(), home(t))
	if err != nil {
		t.Fatal(err)
	}
	if r.Note != "" || *r.Config.CPUs != 2 || len(r.Config.Provision) != 2 || !strings.Contains(r.Config.Provision[1].Script, "usermod -aG docker rdd") {
		t.Errorf("note %q, %+v", r.Note, r.Config.Provision)
	}
}

func TestKeptUsesOwnLimaYAML(t *testing.T) {
	p := mkdir(t, home(t))
	dir := builtImage(t, here())
	built := image.Image{Kind: image.KindBuilt, Path: dir}
	r, err := Read(built, spec(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s := spec()
	s.CPUs, s.Memory = 4, 3*gib
	kept, err := Kept(built, s, p)
	if err != nil {
		t.Fatal(err)
	}
	if *kept.Config.CPUs != 4 || *kept.Config.Memory != "3221225472" || kept.Config.Images[0].Kernel.Cmdline != r.Config.Images[0].Kernel.Cmdline {
		t.Errorf("%s", kept.Text())
	}
	if strings.Contains(strings.ReplaceAll(string(kept.Text()), "3221225472", "2147483648"), "mountPoint") {
		t.Errorf("the text has defaults: %s", kept.Text())
	}
	if _, err := Kept(built, s, limahost.Paths{LimaHome: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "rdd vm reset") {
		t.Errorf("no lima.yaml: %v", err)
	}
}
