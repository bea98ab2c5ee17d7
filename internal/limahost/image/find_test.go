package image

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestFindRequestedOrDefaultImage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "lima.yaml")
	testkit.WriteFile(t, file, "images: []\n")
	other := filepath.Join(t.TempDir(), "disk.iso")
	testkit.WriteFile(t, other, "x")
	top := t.TempDir()
	testkit.WriteFile(t, filepath.Join(top, ".cache", "vm-image", ManifestFile), "{}")
	installed := t.TempDir()
	for _, program := range []string{top + "/bin/rdd", installed + "/bin/rdd"} {
		testkit.WriteFile(t, program, "")
	}
	testkit.WriteFile(t, filepath.Join(installed, "share", "rdd", "vm-image", ManifestFile), "{}")
	for name, c := range map[string]struct {
		want, env, program string
		image              Image
		problem            string
	}{
		"nothing set or built": {program: "/nowhere/bin/rdd", image: Image{Kind: KindCloud}},
		"built in the tree":    {program: top + "/bin/rdd", image: Image{Kind: KindBuilt, Path: top + "/.cache/vm-image"}},
		"installed":            {program: installed + "/bin/rdd", image: Image{Kind: KindBuilt, Path: installed + "/share/rdd/vm-image"}},
		"environment":          {program: top + "/bin/rdd", env: dir, image: Image{Kind: KindBuilt, Path: dir}},
		"cloud":                {want: "cloud", env: dir, image: Image{Kind: KindCloud}},
		"directory":            {want: dir + "/", env: top, image: Image{Kind: KindBuilt, Path: dir}},
		"file":                 {want: file, image: Image{Kind: KindFile, Path: file}},
		"gone":                 {want: dir + "-gone", problem: "does not exist"},
		"relative":             {want: "lima.yaml", problem: "not an absolute path"},
		"neither":              {want: other, problem: "neither the directory"},
		"gone in environment":  {env: dir + "-gone", problem: "RDD_VM_IMAGE"},
	} {
		got, err := Find(c.want, Environment{Program: c.program, Getenv: func(string) string { return c.env }})
		switch {
		case c.problem != "":
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v, want %q", name, err, c.problem)
			}
		case err != nil || !got.Same(c.image) || got.Reason == "":
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.image)
		}
	}
}
