package controlplane_test

import (
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

func TestHold(t *testing.T) {
	dir := os.Getenv("HOLD")
	if dir == "" {
		t.Skip()
	}
	begin := time.Now()
	controlplanetest.StartWith(t, controlplane.Options{DataDir: dir + "/data", TLSDir: dir + "/tls", Kubeconfig: dir + "/kubeconfig", ContextName: "hold", Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))})
	t.Log(time.Since(begin))
	time.Sleep(2 * time.Second)
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("heap %d MB sys %d MB goroutines %d", m.HeapAlloc>>20, m.Sys>>20, runtime.NumGoroutine())
	f, _ := os.Create(dir + "/heap")
	pprof.WriteHeapProfile(f)
	f.Close()
	b, _ := os.ReadFile("/proc/self/smaps_rollup")
	t.Log(string(b))
	for {
		if _, err := os.Stat(dir + "/stop"); err == nil {
			os.Remove(dir + "/stop")
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
