package native

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm/drivertest"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestConformanceMoby(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	drivertest.Run(t, func(t *testing.T) drivertest.Fixture {
		return newBench(t).fixture(appv1.EngineMoby)
	})
}

func TestConformanceContainerd(t *testing.T) {
	needEngine(t, appv1.EngineContainerd)
	drivertest.Run(t, func(t *testing.T) drivertest.Fixture {
		return newBench(t).fixture(appv1.EngineContainerd)
	})
}

// needEngine skips the test if the engine cannot run here.
func needEngine(t *testing.T, engine appv1.EngineName) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a real engine; not with -short")
	}
	d := New(Config{Dir: t.TempDir(), Socket: "/run/rdd-none/docker.sock"})
	if reason, err := d.Available(t.Context(), messages.VMSpec{Engine: engine}); err != nil {
		t.Skipf("%s %v", reason, err)
	}
}

// bench is one instance's engine in temporary directories.
type bench struct {
	cfg Config
	d   *Driver
}

func newBench(t *testing.T) *bench {
	t.Helper()
	short, err := os.MkdirTemp("", "rdd")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{cfg: Config{
		Dir: t.TempDir(), ShortDir: short, Socket: filepath.Join(short, "docker.sock"), LogDir: filepath.Join(short, "log"),
		InstanceName: filepath.Base(short), Logger: drivertest.Logger(t),
	}}
	b.d = New(b.cfg)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		quiet := b.cfg
		quiet.Logger = nil
		if err := New(quiet).Delete(ctx); err != nil {
			t.Errorf("clean up: %v", err)
		}
		if err := os.RemoveAll(short); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) fixture(engine appv1.EngineName) drivertest.Fixture {
	k, _ := b.d.kind(engine)
	return drivertest.Fixture{
		New:  func() vm.Driver { return New(b.cfg) },
		Spec: messages.VMSpec{Driver: appv1.DriverNative, Engine: engine},
		PID:  func() int { p, _ := findEngine(k, state{}); return p.PID },
		Kill: func(t *testing.T) { b.kill(t, k) },
		Spoil: func(t *testing.T) {
			me, _ := process.Find(os.Getpid())
			s := load(b.d.paths.state)
			s.Engine, s.PID, s.StartTime, s.BootID = engine, me.PID, me.Start, process.BootID()
			if err := s.save(b.d.paths.state); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(b.d.paths.runDir, 0o700); err != nil {
				t.Fatal(err)
			}
			if k.pidFile != "" {
				if err := os.WriteFile(k.pidFile, fmt.Append(nil, me.PID), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		Put:        func(t *testing.T, _ string) { b.put(t, k) },
		Has:        func(t *testing.T, _ string) bool { return b.has(t, k) },
		Running:    func() []string { return b.active(k) },
		Everything: func() []string { return append(b.active(k), b.files()...) },
	}
}

func (b *bench) kill(t *testing.T, k kind) {
	t.Helper()
	p, ok := findEngine(k, state{})
	if !ok {
		t.Fatal("no engine to kill")
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// put makes a volume; for containerd, which has no HTTP, it makes a file in the data.
func (b *bench) put(t *testing.T, k kind) {
	t.Helper()
	if k.engine == appv1.EngineContainerd {
		if err := os.WriteFile(filepath.Join(k.dataDir, "kept"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	drivertest.PutVolume(t, k.endpoint())
}

func (b *bench) has(t *testing.T, k kind) bool {
	t.Helper()
	if k.engine == appv1.EngineContainerd {
		_, err := os.Stat(filepath.Join(k.dataDir, "kept"))
		return err == nil
	}
	return drivertest.HasVolume(t, k.endpoint())
}

// active lists the engine's processes, mounts, interfaces, firewall rules and sockets.
func (b *bench) active(k kind) []string {
	var found []string
	if p, ok := findEngine(k, state{}); ok {
		found = append(found, fmt.Sprintf("engine pid %d", p.PID))
	}
	for _, p := range leftovers(k) {
		found = append(found, fmt.Sprintf("process %d %v", p.PID, p.Args()))
	}
	for _, dir := range []string{b.cfg.Dir, b.cfg.ShortDir} {
		mounts, _ := filetree.MountsBelow(dir)
		for _, m := range mounts {
			found = append(found, m.String())
		}
	}
	name := bridgeName(b.cfg)
	if _, err := netlink.LinkByName(name); err == nil {
		found = append(found, "interface "+name)
	}
	for _, set := range b.d.readRules(context.Background()) {
		for _, rule := range set.rules {
			if referencesNetwork(rule, []network{{Bridge: name}}) {
				found = append(found, "rule "+rule)
			}
		}
	}
	if _, err := os.Stat(k.socket); err == nil {
		found = append(found, k.socket)
	}
	return found
}

// files lists every file below the instance's directories.
func (b *bench) files() []string {
	var found []string
	for _, dir := range []string{b.cfg.Dir, b.cfg.ShortDir} {
		_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				found = append(found, path)
			}
			return nil
		})
	}
	return found
}

func (b *bench) post(t *testing.T, path string, body any) []byte {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := b.request(t, http.MethodPost, path, bytes.NewReader(data))
	if status/100 != 2 {
		t.Fatalf("POST %s: %d %s", path, status, answer)
	}
	return answer
}

func (b *bench) request(t *testing.T, method, path string, body io.Reader) (int, []byte) {
	t.Helper()
	return drivertest.Request(t, b.docker().endpoint(), method, path, body)
}
