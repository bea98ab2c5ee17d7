package instance

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestBuildDerivesPathsFromHost(t *testing.T) {
	long := "/home/" + strings.Repeat("u", 60)
	tests := []struct {
		what, name       string
		in               hostEnv
		dir, logs, short string
	}{
		{
			what: "linux defaults", name: "2", in: hostEnv{goos: "linux", home: "/home/u", uid: 7},
			dir: "/home/u/.local/share/rancher-desktop-2", logs: "/home/u/.local/state/rancher-desktop-2/logs", short: "/home/u/.rd2",
		},
		{
			what: "XDG", name: "dev", in: hostEnv{goos: "linux", home: "/home/u", dataHome: "/d", stateHome: "/s"},
			dir: "/d/rancher-desktop-dev", logs: "/s/rancher-desktop-dev/logs", short: "/home/u/.rddev",
		},
		{
			what: "relative XDG is ignored", name: "2", in: hostEnv{goos: "linux", home: "/home/u", dataHome: "d", stateHome: "s"},
			dir: "/home/u/.local/share/rancher-desktop-2", logs: "/home/u/.local/state/rancher-desktop-2/logs", short: "/home/u/.rd2",
		},
		{
			what: "macOS", name: "2", in: hostEnv{goos: "darwin", home: "/Users/u", dataHome: "/d"},
			dir:  "/Users/u/Library/Application Support/rancher-desktop-2",
			logs: "/Users/u/Library/Logs/rancher-desktop-2", short: "/Users/u/.rd2",
		},
		{
			what: "macOS ignores case", name: "Dev", in: hostEnv{goos: "darwin", home: "/Users/u"},
			dir:  "/Users/u/Library/Application Support/rancher-desktop-+dev",
			logs: "/Users/u/Library/Logs/rancher-desktop-+dev", short: "/Users/u/.rd+dev",
		},
		{
			what: "long name", name: strings.Repeat("n", 200), in: hostEnv{goos: "linux", home: "/home/u"},
			dir:   "/home/u/.local/share/rancher-desktop-" + strings.Repeat("n", 200),
			logs:  "/home/u/.local/state/rancher-desktop-" + strings.Repeat("n", 200) + "/logs",
			short: "/home/u/.rd-e657078fefb1",
		},
		{
			what: "long home", name: "2", in: hostEnv{goos: "linux", home: long, uid: 7},
			dir: long + "/.local/share/rancher-desktop-2", logs: long + "/.local/state/rancher-desktop-2/logs",
			short: "/tmp/rdd-7-d419cb31e8e0",
		},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			got, err := build(test.name, test.in)
			if err != nil {
				t.Fatal(err)
			}
			if got.Dir != test.dir || got.LogDir != test.logs || got.ShortDir != test.short {
				t.Errorf("dir %s, logs %s, short %s", got.Dir, got.LogDir, got.ShortDir)
			}
		})
	}
}

func TestPathsOrder(t *testing.T) {
	i, err := build("2", hostEnv{goos: "linux", home: "/h"})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, path := range i.Paths() {
		keys = append(keys, path.Key)
		if !filepath.IsAbs(path.Value) {
			t.Errorf("%s is %q", path.Key, path.Value)
		}
	}
	want := "dir log_dir short_dir lima_home tls_dir config pid_file args_file docker_socket"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("keys are %s, want %s", got, want)
	}
}

// Row T11: the name comes from the flag, the environment or the default, in this order.
func TestNewNamePrecedence(t *testing.T) {
	t.Setenv("HOME", "/h")
	for _, test := range []struct{ flag, env, want string }{
		{"", "", DefaultName}, {"", "env", "env"}, {"flag", "env", "flag"},
	} {
		t.Setenv(EnvName, test.env)
		got, err := New(test.flag)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != test.want {
			t.Errorf("flag %q, environment %q: %q, want %q", test.flag, test.env, got.Name, test.want)
		}
	}
	for _, bad := range []string{".", "..", "../x", "a/b", "-x", ".x", "a b", "é", "a\n", strings.Repeat("x", 201)} {
		if _, err := New(bad); err == nil {
			t.Errorf("New accepted name %q", bad)
		}
	}
	t.Setenv("HOME", "")
	if _, err := New("2"); err == nil || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("no home: %v", err)
	}
}

func FuzzNamesShareNoFile(f *testing.F) {
	f.Add("a", "A", "/home/u")
	f.Add("2", "2.", "/Users/u")
	f.Add(strings.Repeat("A", 200), strings.Repeat("a", 200), "/"+strings.Repeat("h", 90))
	f.Add("logs", "logs-logs", "/home/u")
	f.Fuzz(func(t *testing.T, one, other, home string) {
		if one == other || Validate(one) != nil || Validate(other) != nil || !filepath.IsAbs(home) {
			return
		}
		for _, goos := range []string{"linux", "darwin"} {
			s := hostEnv{goos: goos, home: home}
			a, err := build(one, s)
			if err != nil {
				t.Fatal(err)
			}
			b, err := build(other, s)
			if err != nil {
				t.Fatal(err)
			}
			fold := func(path string) string { return path }
			if goos == "darwin" {
				fold = strings.ToLower
			}
			for _, p := range a.Paths() {
				for _, q := range b.Paths() {
					if overlap(fold(p.Value), fold(q.Value)) {
						t.Errorf("%s: %s of %q and %s of %q overlap: %s, %s", goos, p.Key, one, q.Key, other, p.Value, q.Value)
					}
				}
			}
			socket := filepath.Join(a.LimaHome, "rd", "ssh.sock."+strings.Repeat("9", 16))
			if len(socket) > 103 {
				t.Errorf("socket path of %d bytes: %s", len(socket), socket)
			}
			if base := filepath.Base(a.Dir); len(base) > 255 {
				t.Errorf("element of %d bytes", len(base))
			}
		}
	})
}

func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
