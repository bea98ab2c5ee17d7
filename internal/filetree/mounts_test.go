package filetree

import (
	"path/filepath"
	"strings"
	"testing"
)

const table = `36 35 98:0 / /data rw - ext4 /dev/sda rw
37 36 0:45 / /data/my\040volumes/x rw,noatime master:1 - tmpfs tmpfs rw
38 36 98:0 /home/me/d /data/bound rw - ext4 /dev/sda rw
short line
`

func TestParseMounts(t *testing.T) {
	for dir, want := range map[string]string{
		"/data":            "/data/bound /data/my volumes/x /data",
		"/data/my volumes": "/data/my volumes/x",
		"/data/my":         "",
		"/":                "/data/bound /data/my volumes/x /data",
	} {
		var points []string
		for _, m := range parseMounts(table, dir) {
			points = append(points, m.Point)
		}
		if got := strings.Join(points, " "); got != want {
			t.Errorf("below %s: %q; want %q", dir, got, want)
		}
	}
	bound := parseMounts(table, "/data/bound")[0]
	want := Mount{ID: 38, Parent: 36, Device: "98:0", Root: "/home/me/d", Point: "/data/bound", Type: "ext4", Source: "/dev/sda"}
	if bound != want {
		t.Errorf("%+v, want %+v", bound, want)
	}
}

func TestResolve(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "real/below/")
	link(t, filepath.Join(dir, "real"), filepath.Join(dir, "link"))
	link(t, filepath.Join(dir, "nowhere"), filepath.Join(dir, "dangling"))
	link(t, "ring", filepath.Join(dir, "ring"))
	for path, want := range map[string]string{
		"link":            "real",
		"link/below":      "real/below",
		"link/below/no/x": "real/below/no/x",
		"link/../link/no": "real/no",
		"dangling/x":      "nowhere/x",
		"ring":            "ring",
	} {
		if got := Resolve(dir + "/" + path); got != filepath.Join(dir, want) {
			t.Errorf("Resolve(%s) = %s, want %s", path, got, want)
		}
	}
	if got := Resolve("/"); got != "/" {
		t.Errorf("Resolve(/) = %s", got)
	}
}

// A mount that is written in the kernel's format is parsed without a change.
func FuzzParseMount(f *testing.F) {
	f.Add("/a b", "36 35 98:0 /mnt1 ")
	f.Add("/a\\040b\tc\nd", "")
	f.Add("-", "36 35 98:0 / /mnt1 rw -")
	f.Add("/a\v\u00a0b\r", "36 35 98:0 / /mnt1 rw - ext3\n")
	f.Fuzz(func(t *testing.T, point, line string) {
		_, _ = ParseMount(line)
		_ = parseMounts(line, point)
		kernel := strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(point)
		got, ok := ParseMount("36 35 98:0 / " + kernel + " rw,noatime master:1 - ext3 /dev/root rw")
		if !ok || got.Point != point || got.Type != "ext3" {
			t.Errorf("%+v, %v, want %q", got, ok, point)
		}
	})
}
