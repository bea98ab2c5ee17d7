package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// lasting starts a process that runs until the test ends.
func lasting(t *testing.T, attr *syscall.SysProcAttr) Process {
	t.Helper()
	cmd := exec.Command("/bin/sleep", "600")
	cmd.Env, cmd.SysProcAttr = []string{}, attr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p, ok := Find(cmd.Process.Pid)
	if !ok {
		t.Fatal("Find does not find a running process")
	}
	return p
}

// Row F1: a process of another user is never this user's own.
func TestMineExcludesOtherUsers(t *testing.T) {
	p := lasting(t, nil)
	if !p.Mine() || p.Executable() != "sleep" || !p.SharesNetwork() {
		t.Errorf("own process: mine %v, executable %q, shares network %v", p.Mine(), p.Executable(), p.SharesNetwork())
	}
	later := p
	later.Start++
	if later.Mine() {
		t.Error("a process that has ended is this user's own")
	}
	if os.Geteuid() != 0 {
		t.Skip("starting a process of another user needs root")
	}
	const unprivileged = 65534
	foreign := lasting(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}})
	if uid, uniform := foreign.Owner(); uid != unprivileged || !uniform || foreign.Mine() {
		t.Errorf("a process of another user: owner %d, %v, mine %v", uid, uniform, foreign.Mine())
	}
}

// Row F1: root in a container has this user's ID, and another root directory.
func TestMineExcludesOtherRoots(t *testing.T) {
	const busybox = "/bin/busybox"
	program, err := os.ReadFile(busybox)
	if err != nil || os.Geteuid() != 0 {
		t.Skip("starting a process with another root directory needs root, and a static ", busybox)
	}
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "sleep"), program, 0o700); err != nil { //nolint:gosec // it is executed
		t.Fatal(err)
	}
	cmd := exec.Command("/sleep", "600")
	cmd.Env, cmd.SysProcAttr, cmd.Dir = []string{}, &syscall.SysProcAttr{Chroot: root}, "/"
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	p, ok := Find(cmd.Process.Pid)
	if !ok || p.Mine() {
		t.Errorf("a process with another root directory: found %v, mine %v", ok, p.Mine())
	}
}

func TestParseOwner(t *testing.T) {
	const head = "Name:\tx\\nUid:\\t0\\t0\\t0\\t0\nPPid:\t1\n"
	for text, want := range map[string]struct {
		uid     int
		uniform bool
	}{
		head + "Uid:\t0\t0\t0\t0\nGid:\t7\t7\t7\t7\n": {0, true},
		head + "Uid:\t1000\t1000\t1000\t1000\n":       {1000, true},
		head + "Uid:\t1000\t0\t0\t0\n":                {1000, false}, // a setuid program of root
		head + "Uid:\t0\t0\t1000\t0\n":                {0, false},
		head + "Uid:\t0\t0\t0\n":                      {-1, false},
		head + "Uid:\t-1\t-1\t-1\t-1\n":               {-1, false},
		head:                                          {-1, false},
		"":                                            {-1, false},
		head + "Uid:\t99999999999999999999\t0\t0\t0\nUid:\t0\t0\t0\t0\n": {-1, false},
	} {
		if uid, uniform := parseOwner([]byte(text)); uid != want.uid || uniform != want.uniform {
			t.Errorf("%q: %d, %v, want %+v", text, uid, uniform, want)
		}
	}
}

// Only a process with four equal user IDs has an owner.
func FuzzOwner(f *testing.F) {
	f.Add([]byte("Name:\tx\nUid:\t0\t0\t0\t0\n"))
	f.Add([]byte("Uid:\t0\t0\t0\t1\nUid:\t0\t0\t0\t0"))
	f.Add([]byte("Uid:"))
	f.Fuzz(func(t *testing.T, status []byte) {
		if uid, uniform := parseOwner(status); uniform && uid < 0 {
			t.Fatalf("%q: owner %d", status, uid)
		}
	})
}

func TestDescendants(t *testing.T) {
	shim := Process{PID: 10, Parent: 1, Start: 100}
	all := []Process{
		{PID: 1, Start: 1}, shim,
		{PID: 20, Parent: 10, Start: 101}, {PID: 30, Parent: 20, Start: 102},
		// A child of an earlier process 10.
		{PID: 40, Parent: 10, Start: 50}, {PID: 41, Parent: 40, Start: 200},
		{PID: 50, Parent: 1, Start: 300},
	}
	got := Descendants([]Process{shim}, all)
	if len(got) != 2 || got[0].PID != 20 || got[1].PID != 30 {
		t.Errorf("descendants = %+v, want 20 and 30", got)
	}
}
