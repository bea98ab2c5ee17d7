package mounts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"~": "~:r", "~:r": "~:r", "~:w": "~:w", "~/work:w": "~/work:w", "/home/me": "/home/me:r",
		"/home/rdd2": "/home/rdd2:r", "/Users/me/Bücher": "/Users/me/Bücher:r", "/data/a.b_c+d@e=f-1:w": "/data/a.b_c+d@e=f-1:w",
		"/tmp/x": "/tmp/x:r", "/mnt/disk": "/mnt/disk:r", "/opt/src": "/opt/src:r", "/var/home/me:w": "/var/home/me:w", "/root": "/root:r",
		"/usrlocal": "/usrlocal:r", "/...": "/...:r", "/a/.b": "/a/.b:r",
	} {
		if m, err := Parse(text); err != nil || m.String() != want {
			t.Errorf("%s: %v, %v, want %s", text, m, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "an absolute path or ~", "work": "an absolute path or ~", "~me": "an absolute path or ~", ":w": "an absolute path or ~",
		"/": "an absolute path or ~", "/a/": "an absolute path or ~", "//a": "an absolute path or ~", "/a/../etc": "without . and ..",
		"/a/.": "without . and ..", "/a/..:w": "without . and ..", "~/..": "without . and ..", "/a b": "of letters", "/a,b": "of letters",
		"/a:x": "with :w at its end", "/a:rw": "with :w", "/a:r:w": "with :w", "/a'b": "of letters", "/a\nb": "of letters",
		"/a{{b}}": "of letters", `/a"b`: "of letters", "/a%b": "of letters", "/a\\b": "of letters",
		"/usr": "files of its own", "/usr/local:w": "files of its own", "/etc/x": "files of its own", "/var": "files of its own",
		"/var/lib/docker": "files of its own", "/var/home": "files of its own", "/proc": "files of its own", "/sys/fs": "files of its own",
		"/dev/shm": "files of its own", "/run/user": "files of its own", "/boot": "files of its own", "/home": "files of its own",
		"/home/rdd": "files of its own", "/home/rdd/x:w": "files of its own", "/tmp": "files of its own", "/opt:w": "files of its own",
		"/mnt": "files of its own", "/mnt/lima-cidata/x": "files of its own", "/bin": "files of its own", "/lib64": "files of its own",
	} {
		if m, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", text, m, err, want)
		}
	}
}

func TestEncodeIsCanonical(t *testing.T) {
	one, err1 := List([]string{"~/b:w", "~"})
	two, err2 := List([]string{"~:r", "~/b:w"})
	if err1 != nil || err2 != nil || Encode(one) != Encode(two) || Encode(one) != "~/b:w,~:r" {
		t.Errorf("%q, %v and %q, %v", Encode(one), err1, Encode(two), err2)
	}
	if texts := Texts(""); texts == nil || len(texts) != 0 {
		t.Errorf("no mounts are %v", texts)
	}
	if _, err := List([]string{"~", "~:w"}); err == nil || !strings.Contains(err.Error(), "~ twice") {
		t.Errorf("twice: %v", err)
	}
}

func TestExpand(t *testing.T) {
	for _, c := range []struct{ mounts, home, want, refused string }{
		{"~/b:w,~:r", "/home/me", "/home/me:r,/home/me/b:w", ""},
		{"/home/me:w,~:r", "/home/me", "/home/me:w", ""},
		{"~:r", "/home/rdd", "", "~ is not shared with the VM: vm.mounts must not have /home/rdd"},
		{"/data:w,~:r", "/", "/data:w", "~ is not shared"},
		{"~/x:r", "/", "", "~/x is not shared"},
		{"~:r", "/home/m e", "", "~ is not shared"},
		{"~:r", "", "", "~ is not shared"},
		{"", "/home/me", "", ""},
		{"/home/me/x:r,~:w", "/home/me", "/home/me:w", "/home/me/x is not shared with the VM"},
		{"~/x:r,~:w", "/home/me", "/home/me:w", "/home/me/x is not shared with the VM"},
		{"~/a/b:w,~/a:w,~/ab:r,~:r", "/home/me", "/home/me:r,/home/me/a:w,/home/me/a/b:w,/home/me/ab:r", ""},
		{"bad", "/home/me", "", "vm.mounts must not have"},
	} {
		list, refused := Expand(c.mounts, c.home)
		var texts []string
		for _, m := range list {
			texts = append(texts, m.String())
		}
		if got := strings.Join(texts, ","); got != c.want || (len(refused) > 0) != (c.refused != "") ||
			c.refused != "" && !strings.Contains(refused[0].Error(), c.refused) {
			t.Errorf("%+v: %s, %v", c, got, refused)
		}
	}
}

func TestIsUnshared(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	other := t.TempDir()
	work := filepath.Join(home, "work")
	for _, dir := range []string{work, home + "2"} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		mounts, file string
		want         bool
	}{
		{"~:r", home, false}, {"~:r", work, false}, {"~:r", home + "2", true}, {"~:r", other, true}, {"", work, true},
		{"~/work:w", home, true}, {"~/work:w", work, false}, {other + ":w", other, false},
		{"~:r", filepath.Join(other, "missing"), false}, {"~:r", "/etc", false}, {"~:r", "/", true}, {"~:r", "", false},
	} {
		if got := IsUnshared(c.mounts, c.file); got != c.want {
			t.Errorf("%q, %s: %v", c.mounts, c.file, got)
		}
	}
}

// An accepted path is absolute or in the home, cannot leave its directory, and is the same
// after it was encoded.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"~", "~/work:w", "/home/me:r", "/var/home/me", "/a/../b", "/usr", "/a,b", "~:w:r"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		if !strings.HasPrefix(m.Path, "/") && m.Path != Home && !strings.HasPrefix(m.Path, Home+"/") {
			t.Errorf("%q is accepted", text)
		}
		if strings.ContainsAny(m.Path, ",:;'\"\\ \t\n\x00{}[]#%&*!|<>?`$") || slices.Contains(strings.Split(m.Path, "/"), "..") {
			t.Errorf("%q is accepted", text)
		}
		if again, err := Parse(m.String()); err != nil || again != m {
			t.Errorf("%q: %v and %v, %v", text, m, again, err)
		}
		for _, own := range []string{"/usr", "/etc", "/var/lib", "/proc", "/sys", "/dev", "/run", "/boot", GuestHome} {
			if isShared([]Mount{{Path: own}}, m.Path) {
				t.Errorf("%q is accepted", text)
			}
		}
		if list, err := List(Texts(Encode([]Mount{m}))); err != nil || len(list) != 1 || list[0] != m {
			t.Errorf("%q: %v, %v", text, list, err)
		}
	})
}
