package native

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

func TestCheckSocketsRefusesCommaInPath(t *testing.T) {
	for dir, refused := range map[string]bool{"/home/a,b/data": true, "/home/a b:c/data": false} {
		d := New(Config{Dir: dir, ShortDir: "/s", Socket: "/s/docker.sock"})
		k, err := d.kind(appv1.EngineMoby)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.checkSockets(); (err != nil) != refused || refused && !strings.Contains(err.Error(), "XDG_DATA_HOME") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestConfigSharesNoPathWithOtherInstance(t *testing.T) {
	a := Config{Dir: "/home/me/a", Socket: "/run/a/docker.sock", LogDir: "/log/a", InstanceName: "a"}
	b := Config{Dir: "/home/me/b", Socket: "/run/b/docker.sock", LogDir: "/log/b", InstanceName: "b"}
	if bridgeName(a) == bridgeName(b) {
		t.Error("two instances share a bridge")
	}
	if len(bridgeName(a)) > 15 {
		t.Errorf("the kernel refuses the interface name %q", bridgeName(a))
	}
	for _, engine := range []appv1.EngineName{appv1.EngineMoby, appv1.EngineContainerd} {
		ka, err := newPaths(a).kind(engine, a.Socket)
		if err != nil {
			t.Fatal(err)
		}
		kb, err := newPaths(b).kind(engine, b.Socket)
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2]string{{ka.dataDir, kb.dataDir}, {ka.execDir, kb.execDir}, {ka.configFile, kb.configFile}, {ka.socket, kb.socket}, {ka.log, kb.log}} {
			if pair[0] == pair[1] {
				t.Errorf("%s is shared", pair[0])
			}
		}
	}
}

func TestKindRefusesUnknownEngine(t *testing.T) {
	if _, err := (paths{}).kind("podman", ""); err == nil {
		t.Error("an unknown engine is taken")
	}
}

func TestCheckSocketsRefusesLongPath(t *testing.T) {
	k := kind{socket: "/" + strings.Repeat("x", maxSocketPath)}
	if err := k.checkSockets(); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("error = %v", err)
	}
}

func TestTailPrefersErrorsAndWarnings(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"only info lines", "level=info a\nlevel=info b\nlevel=info c\n", "level=info b\nlevel=info c"},
		{"with an error", "level=error a\nlevel=info b\nfailed c\nlevel=debug d\n", "level=error a\nfailed c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := tail(test.text, 2); got != test.want {
				t.Errorf("tail = %q, want %q", got, test.want)
			}
		})
	}
}

func TestLoadInvalidStateReturnsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	for _, text := range []string{"", "{", "[]", `{"pid": "many"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s := load(path); s.PID != 0 {
			t.Errorf("load(%q) = %+v", text, s)
		}
	}
	want := state{Engine: "moby", PID: 7, Subnet: "172.16.1.1/24"}
	if err := want.save(path); err != nil {
		t.Fatal(err)
	}
	if got := load(path); got.PID != 7 || got.Subnet != want.Subnet {
		t.Errorf("load = %+v", got)
	}
}
