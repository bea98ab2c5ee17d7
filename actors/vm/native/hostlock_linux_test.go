package native

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// F1: openLock refuses a link, another user's file, and a file that is open to other
// users.
func TestOpenLockRefusesForeignFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rdd")
	lock := filepath.Join(dir, "lock")
	for range 2 { // the second time it is there
		f, err := openLock(dir, "lock")
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	refused := func(name string) {
		t.Helper()
		if f, err := openLock(dir, "lock"); err == nil {
			f.Close()
			t.Errorf("%s is taken for the lock", name)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(lock, 0o644))
	refused("a file that others can open")
	must(os.Remove(lock))
	must(os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), lock))
	refused("a link")
	must(os.Remove(lock))
	must(syscall.Mkfifo(lock, 0o600))
	refused("a named pipe")
	must(os.Remove(lock))
	must(os.Chmod(dir, 0o755))
	refused("a file in a directory that others can enter")
	if os.Geteuid() == 0 {
		must(os.Chmod(dir, 0o700))
		must(os.Chown(dir, unprivileged, unprivileged))
		refused("a file in a directory of another user")
	}
	must(os.Rename(dir, dir+"-real"))
	must(os.Symlink(dir+"-real", dir))
	refused("a directory behind a link")
}
