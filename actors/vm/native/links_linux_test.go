package native

import (
	"os"
	"path/filepath"
	"testing"
)

// F2: an engine is found again when a symbolic link was part of its path at the start.
func TestIsConfiguredByFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.MkdirAll(filepath.Join(dir, "real", "s"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	kindIn := func(home string) kind {
		d := New(Config{Dir: home, ShortDir: filepath.Join(home, "s"), Socket: filepath.Join(home, "s", "docker.sock")})
		k, err := d.kind("")
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	behind, plain := kindIn(link), kindIn(filepath.Join(dir, "real"))
	for _, pair := range [][2]kind{{behind, plain}, {plain, behind}, {behind, behind}} {
		started, asked := pair[0], pair[1]
		if !asked.isConfiguredBy([]string{"dockerd", started.configArg()}) {
			t.Errorf("%s is not the engine of %s", started.configArg(), asked.configFile)
		}
		for _, path := range []string{started.socket, filepath.Join(started.execDir, "containerd", "containerd.sock")} {
			if !isEngineHelper(asked, "containerd-shim-runc-v2", []string{"containerd-shim-runc-v2", "-address", path}) {
				t.Errorf("a shim of %s is not the engine's", path)
			}
		}
	}
	if plain.isConfiguredBy([]string{"--config-file=/etc/docker/daemon.json", "--config-file", "--config-file="}) {
		t.Error("another configuration is this engine's")
	}
}
