package lima

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm/drivertest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	// envReal enables the tests with real VMs.
	envReal = "RDD_TEST_VM"
	// envProgram is the path of an rdd that was built.
	envProgram = "RDD_TEST_PROGRAM"
	// envImage is the directory of the image that 'make vm-image' builds.
	envImage = "RDD_VM_IMAGE"
)

// TestConformance boots a real VM some fifteen times.
func TestConformance(t *testing.T) {
	program, spec := needVM(t)
	drivertest.Run(t, func(t *testing.T) drivertest.Fixture {
		return newBenchWith(t, []string{program, "hostagent"}).fixture(spec)
	})
}

// needVM skips the test if real VMs are not enabled, and fails it if they do not work.
func needVM(t *testing.T) (program string, spec messages.VMSpec) {
	t.Helper()
	if os.Getenv(envReal) == "" {
		t.Skipf("boots real VMs, which takes a quarter of an hour without acceleration; 'make vm-test' runs it (%s=1)", envReal)
	}
	spec = someSpec()
	spec.VM.Memory = 768 << 20
	program, spec.VM.Image = os.Getenv(envProgram), os.Getenv(envImage)
	for name, file := range map[string]string{envProgram: program, envImage: filepath.Join(spec.VM.Image, "image.json")} {
		if _, err := os.Stat(file); err != nil || !filepath.IsAbs(file) {
			t.Fatalf("%s=%q is not what it should be: %v; run 'make build vm-image' and set %s to bin/rdd, and %s to .cache/vm-image, as absolute paths",
				name, os.Getenv(name), err, envProgram, envImage)
		}
	}
	if reason, err := New(Config{Home: "/run/rdd", Program: []string{program, "hostagent"}}).Available(t.Context(), spec); err != nil {
		t.Fatalf("%s %v", reason, err)
	}
	return program, spec
}

func (b *bench) fixture(spec messages.VMSpec) drivertest.Fixture {
	return drivertest.Fixture{
		New:  func() vm.Driver { return b.another() },
		Spec: spec,
		PID: func() int {
			p, _ := qemu.Find(b.paths)
			return p.PID
		},
		Kill: func(*testing.T) {
			if err := b.theMachine().Signal(syscall.SIGKILL); err != nil {
				b.t.Fatal(err)
			}
		},
		Spoil:      b.spoil,
		Put:        drivertest.PutVolume,
		Has:        drivertest.HasVolume,
		Running:    b.active,
		Everything: func() []string { return append(b.active(), b.files("")...) },
	}
}

// spoil writes the pid of this process to each pid file.
func (b *bench) spoil(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(b.paths.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{b.paths.PidFile(), b.paths.MachinePidFile()} {
		if err := os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	end := limahost.ExitStatus{PID: os.Getpid(), Error: "from another time"}
	if err := limahost.Save(b.paths.ExitStatus(), end); err != nil {
		t.Fatal(err)
	}
}

// active lists processes, sockets and pid files.
func (b *bench) active() []string {
	var found []string
	for _, p := range b.processes() {
		found = append(found, fmt.Sprintf("process %d %v", p.PID, p.Args()))
	}
	return append(append(found, b.files(".sock")...), b.files(".pid")...)
}

// files lists the files of the instance whose names have a suffix.
func (b *bench) files(suffix string) []string {
	var found []string
	_ = filepath.WalkDir(filepath.Dir(b.cfg.Home), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, suffix) {
			found = append(found, path)
		}
		return nil
	})
	return found
}
