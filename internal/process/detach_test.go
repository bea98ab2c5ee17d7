package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// envFiles makes the test binary a process that prints the inherited descriptors from
// 3 on, and ends when its input ends.
const envFiles = "RDD_TEST_FILES"

// inherited returns the targets of the inherited descriptors except the first three.
// Go sets close-on-exec on the descriptors that it opens.
func inherited() []string {
	var found []string
	for fd := 3; fd < 1024; fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			target, _ := os.Readlink(filepath.Join(openFiles, fmt.Sprint(fd)))
			found = append(found, fmt.Sprintf("%d=%s", fd, target))
		}
	}
	return found
}

// pass duplicates file to a descriptor, lowest or above, that children inherit.
func pass(t *testing.T, file *os.File, lowest int) (fd int) {
	t.Helper()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD, lowest)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// startIdle starts the test binary with Start and returns its first line of output.
func startIdle(t *testing.T, env ...string) (cmd *exec.Cmd, p Process, line string, end func()) {
	t.Helper()
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	cmd = exec.Command(os.Args[0])
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, ended, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, p, strings.TrimSuffix(line, "\n"), func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the end of the process was not reported")
		}
	}
}

func TestStartDetaches(t *testing.T) {
	cmd, p, _, end := startIdle(t, envIdle+"=1", "NOTIFY_SOCKET=/run/of-the-parent")
	if session, err := unix.Getsid(p.PID); err != nil || session != p.PID {
		t.Errorf("session %d, %v; want its own, %d", session, err, p.PID)
	}
	if slices.ContainsFunc(cmd.Env, func(entry string) bool { return strings.HasPrefix(entry, "NOTIFY_SOCKET=") }) {
		t.Error("the child has the socket of this process's service manager")
	}
	end()
}

// Row F3: the starter holds a lock and a pipe, as 'flock FILE rdd start' and a test
// runner do. The child inherits neither.
func TestStartPassesNoDescriptor(t *testing.T) {
	lockFile := filepath.Join(t.TempDir(), "lock")
	lock, err := os.Create(lockFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	high := pass(t, lock, 200)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	higher := pass(t, writer, 777)
	_, _, line, end := startIdle(t, envFiles+"=1")
	if line != "none" {
		t.Errorf("the child holds %s", line)
	}
	for _, held := range []error{lock.Close(), unix.Close(high), writer.Close(), unix.Close(higher)} {
		if held != nil {
			t.Fatal(held)
		}
	}
	again, err := os.Open(lockFile)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := unix.Flock(int(again.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("the lock is held by the child: %v", err)
	}
	if err := reader.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := reader.Read(make([]byte, 1)); n != 0 || err == nil || os.IsTimeout(err) {
		t.Errorf("the pipe is held by the child: read %d bytes, %v", n, err)
	}
	end()
}

// Row F3: each of the first three descriptors that the command does not set is
// /dev/null.
func TestStartReplacesStdioByDevNull(t *testing.T) {
	t.Setenv(envIdle, "")
	cmd := exec.Command("/bin/sleep", "60")
	p, _, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Signal(syscall.SIGKILL) })
	null, err := os.Stat(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	for fd := range 3 {
		file, err := os.Stat(fmt.Sprintf("/proc/%d/fd/%d", p.PID, fd))
		if os.IsNotExist(err) {
			t.Skip("there is no /proc here")
		}
		if err != nil || !os.SameFile(file, null) {
			t.Errorf("descriptor %d is not %s: %v", fd, os.DevNull, err)
		}
	}
}
