package native

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestStopContainerdEndsContainers(t *testing.T) {
	needRoot(t)
	b := newContainerd(t)
	b.run(t)
	if left := leftovers(b.k); len(left) < 2 {
		t.Fatalf("the container's processes are %v, want a shim and a program at least", left)
	}
	b.stop(t)
}

// Only the engine's records show a container whose shim was killed.
func TestStopContainerdEndsContainerWithoutShim(t *testing.T) {
	needRoot(t)
	b := newContainerd(t)
	b.run(t)
	b.kill(t, b.k)
	for _, p := range leftovers(b.k) {
		if isShim(b.k, p) {
			if err := errors.Join(p.Signal(syscall.SIGKILL), p.WaitFor(t.Context(), 10*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if left := leftovers(b.k); len(left) == 0 {
		t.Error("the container's program is not found")
	}
	b.stop(t)
}

// containerdBench is a bench with a running containerd.
type containerdBench struct {
	*bench
	k kind
}

func newContainerd(t *testing.T) containerdBench {
	t.Helper()
	needEngine(t, appv1.EngineContainerd)
	if search("ctr", New(Config{}).searchPath()) == "" {
		t.Skip("ctr is missing, which starts the container")
	}
	b := newBench(t)
	if _, err := b.d.Start(t.Context(), messages.VMSpec{Engine: appv1.EngineContainerd}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	k, _ := b.d.kind(appv1.EngineContainerd)
	return containerdBench{b, k}
}

// run starts a container with the name of the instance, since runc keeps the records
// of all containerds of the machine in one directory.
func (b containerdBench) run(t *testing.T) {
	t.Helper()
	image(t) // skips when the program could not run in there
	root := t.TempDir()
	copyMe(t, filepath.Join(root, "me"))
	out, err := exec.CommandContext(t.Context(), search("ctr", b.d.searchPath()), "-a", b.k.socket, "run", "-d",
		"--env", inContainerEnv+"=0s", "--rootfs", root, b.cfg.InstanceName, "/me").CombinedOutput()
	if err != nil {
		t.Fatalf("ctr run: %v %s", err, out)
	}
}

func (b containerdBench) stop(t *testing.T) {
	t.Helper()
	if _, err := b.d.Stop(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	if left := b.active(b.k); len(left) > 0 {
		t.Errorf("left after a stop: %v", left)
	}
	record := filepath.Join(sharedRuncRoot, "default", b.cfg.InstanceName)
	if _, err := os.Lstat(record); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("runc's record %s is left: %v", record, err)
	}
}
