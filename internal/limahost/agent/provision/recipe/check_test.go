package recipe

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// Validation changes nothing, and each error names the file and the line.
func TestReadErrorNamesLine(t *testing.T) {
	const images = "images:\n- location: /disk.qcow2\n"
	for name, c := range map[string]struct {
		text string
		line int
		says string
	}{
		"no YAML":             {"images:\n- location: [\nfoo\n", 2, ""},
		"tabs":                {"images:\n\t- location: x\n", 2, ""},
		"twice":               {"cpus: 1\ncpus: 2\n" + images, 2, "cpus"},
		"wrong type":          {images + "\n\ncpus: many\n", 5, ""},
		"value":               {images + "arch: vax\n", 3, "vax"},
		"in a list":           {images + "mounts:\n- location: /\n  mountPoint: /mnt\n- location: /home\n", 6, "system path"},
		"second key":          {images + "mounts:\n- location: /\n  writable: true\n  mountPoint: /etc\n", 6, "system path"},
		"field that is not":   {images + "provision:\n- mode: system\n", 4, "script"},
		"deep":                {images + "vmOpts:\n  qemu:\n    minimumVersion: abc\n", 5, "minimumVersion"},
		"name without quotes": {images + "  arch: x86_64\n  kernel:\n    location: /k\n    arch: aarch64\n", 4, "architecture"},
		"nothing":             {"{}\n", 1, "images"},
		"capital":             {images + "copyToHost:\n- guest: relative\n  host: /x\n", 4, "absolute path"},
		"parameter":           {images + "param:\n  unused: x\n", 3, "unused"},
		"SSHFS":               {images + "mounts:\n- location: /\n  mountPoint: /mnt\nmountType: reverse-sshfs\n", 6, "9p"},
		"networks":            {images + "networks:\n- socket: /run/x\n", 4, "daemon"},
		"reverse":             {images + "portForwards:\n- guestSocket: /a\n  hostSocket: /b\n  reverse: true\n", 6, "not supported"},
		"Lima too old":        {"minimumLimaVersion: 99.0.0\n" + images, 1, "99.0.0"},
	} {
		p := home(t)
		file := filepath.Join(t.TempDir(), "my.yaml")
		testkit.WriteFile(t, file, c.text)
		_, err := Read(image.Image{Kind: image.KindFile, Path: file}, spec(), p)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if where := fmt.Sprintf("%s:%d: ", file, c.line); !strings.Contains(err.Error(), where) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v\nwant %s… %q", name, err, where, c.says)
		}
		if left, err := filepath.Glob(filepath.Join(p.LimaHome, "*")); err != nil || len(left) > 0 {
			t.Errorf("%s: files were changed: %v, %v", name, left, err)
		}
	}
}

func TestReadReportsAllErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.yaml")
	testkit.WriteFile(t, file, "mounts:\n- location: /tmp\n- location: /etc\n")
	_, err := Read(image.Image{Kind: image.KindFile, Path: file}, spec(), home(t))
	if err == nil {
		t.Fatal("no error")
	}
	for _, line := range []string{"my.yaml:1: ", "my.yaml:2: ", "my.yaml:3: "} {
		if !strings.Contains(err.Error(), line) {
			t.Errorf("%v\nwants %s", err, line)
		}
	}
}
