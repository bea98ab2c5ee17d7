package recipe

import (
	"strings"
	"testing"

	"github.com/lima-vm/lima/pkg/version"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

// FuzzLimaYAML generates lima.yaml files. Each error has the file's name and the line,
// and none is a panic.
func FuzzLimaYAML(f *testing.F) {
	f.Add("images:\n- location: /disk.qcow2\n")
	f.Add("images:\n- location: [\nfoo\n")
	f.Add("vmType: qemu\nimages:\n- location: /d\nparam:\n  unused: x\nportForwards:\n- guestSocket: /a\n  hostSocket: /b\n")
	f.Add("a: &a [*a]\n? : \n\t\xff")
	p := limahost.Paths{LimaHome: f.TempDir()}
	f.Setenv("LIMA_HOME", p.LimaHome)
	version.Version = "1.2.2"
	f.Fuzz(func(t *testing.T, text string) {
		r, err := merge(image.KindFile, []byte(text), "my.yaml", limahost.Spec{CPUs: 1, Memory: gib, Disk: gib, Acceleration: "tcg"}, p)
		switch {
		case err == nil && r.Config == nil:
			t.Fatalf("%q: no recipe and no error", text)
		case err != nil && !strings.Contains(err.Error(), "my.yaml:"):
			t.Fatalf("%q: the error names no line: %v", text, err)
		}
	})
}

// FuzzFields generates messages of Lima's, in which fields are searched for names.
func FuzzFields(f *testing.F) {
	f.Add("field `images[0].location` must be", "images:\n- location: x\n")
	f.Add("CopyToHost[0] x", "copyToHost: [")
	f.Fuzz(func(t *testing.T, message, text string) {
		found := lines([]byte(text))
		for _, field := range fields(message) {
			if line, ok := found.line(field); ok && line < 1 {
				t.Fatalf("%q is in line %d of %q", field, line, text)
			}
		}
	})
}
