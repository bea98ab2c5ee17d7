package recipe

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// mounted returns the mounts of a lima.yaml as text.
func mounted(y *limayaml.LimaYAML) string {
	var all []string
	for _, m := range y.Mounts {
		access := ":r"
		if *m.Writable {
			access = ":w"
		}
		all = append(all, m.Location+" at "+*m.MountPoint+access)
	}
	return strings.Join(all, ", ")
}

func TestMountsInLimaYAML(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("QEMU shares directories on Linux only")
	}
	user := t.TempDir()
	t.Setenv("HOME", user)
	work := filepath.Join(user, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	testkit.WriteFile(t, filepath.Join(user, "file"), "")
	own := filepath.Join(t.TempDir(), "own.yaml")
	testkit.WriteFile(t, own, "images: [{location: /disk.qcow2}]\nmountType: virtiofs\nmounts: [{location: "+work+"}]\n")
	both := user + " at " + user + ":r, " + work + " at " + work + ":w"
	for name, c := range map[string]struct {
		from               image.Image
		mounts, want, note string
	}{
		"none":            {mounts: ""},
		"home":            {mounts: "~:r", want: user + " at " + user + ":r"},
		"below it":        {mounts: "~/work:w,~:r", want: both},
		"missing":         {mounts: "~/work:w,~/none:w,~:r", want: both, note: "none is not shared with the VM: stat"},
		"file":            {mounts: "~/file:r", note: "is not a directory: change vm.mounts"},
		"public image":    {from: image.Image{Kind: image.KindCloud}, mounts: "~/work:w,~:r", want: both},
		"user's own file": {from: image.Image{Kind: image.KindFile, Path: own}, mounts: "~:r", want: work + " at " + work + ":r"},
	} {
		t.Run(name, func(t *testing.T) {
			p := mkdir(t, home(t))
			if c.from.Kind == "" {
				c.from = image.Image{Kind: image.KindBuilt, Path: builtImage(t, here())}
			}
			s := spec()
			s.Mounts = c.mounts
			r, err := Read(c.from, s, p)
			if err != nil {
				t.Fatal(err)
			}
			if got := mounted(r.Config); got != c.want || !strings.Contains(r.Note, c.note) || (r.Note == "") != (c.note == "") {
				t.Errorf("mounts %q, note %q", got, r.Note)
			}
			if c.want != "" && *r.Config.MountType != limayaml.VIRTIOFS {
				t.Errorf("mount type %s", *r.Config.MountType)
			}
			if c.from.Kind == image.KindFile {
				return
			}
			// A start with a disk that is kept replaces the mounts of the last start.
			if err := r.Write(p); err != nil {
				t.Fatal(err)
			}
			s.Mounts = "~/work:r"
			kept, err := Kept(c.from, s, p)
			if got := mounted(kept.Config); err != nil || got != work+" at "+work+":r" {
				t.Errorf("kept: %q, %v", got, err)
			}
			s.Mounts = ""
			if kept, err = Kept(c.from, s, p); err != nil || len(kept.Config.Mounts) > 0 {
				t.Errorf("kept without mounts: %q, %v", mounted(kept.Config), err)
			}
		})
	}
}
