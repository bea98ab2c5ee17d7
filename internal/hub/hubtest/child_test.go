package hubtest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// parentArgument makes the test program a parent of a child.
const parentArgument = "parent-of-child"

// parent starts a child, prints its pid, and lasts as long as its input.
func parent(dir string) int {
	c, err := startChild(filepath.Join(dir, "log"), "sleep", "1000")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(c.cmd.Process.Pid)
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

func TestChildEndsWithKilledProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a child with its parent")
	}
	cmd := exec.Command(os.Args[0], parentArgument, t.TempDir())
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	child, ok := process.Find(pid)
	if !ok {
		t.Fatalf("the child %d does not run", pid)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := child.WaitFor(t.Context(), limit); err != nil {
		t.Error(err)
	}
}

func TestChildFailureHasLog(t *testing.T) {
	c, err := startChild(filepath.Join(t.TempDir(), "log"), "sh", "-c", "echo reason; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	<-c.ended
	if text := c.failure().Error(); !strings.Contains(text, "sh ended by itself: exit status 3") || !strings.Contains(text, "reason") {
		t.Errorf("the failure is %q", text)
	}
}

func TestReservedPortRefusesConnections(t *testing.T) {
	p, err := reservePort()
	if err != nil {
		t.Fatal(err)
	}
	defer p.release()
	if conn, err := net.Dial("tcp", p.address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a connection to a reserved port: %v, %v", conn, err)
	}
	if listener, err := net.Listen("tcp", p.address()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("another program listens at a reserved port: %v, %v", listener, err)
	}
}

func TestTailShowsLastLines(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	testkit.WriteFile(t, log, strings.Repeat("early\n", tailLines)+"late\n")
	if text := (&child{log: log}).tail(); strings.Count(text, "\n") != tailLines || !strings.HasSuffix(text, "late\n") {
		t.Errorf("the tail is %q", text)
	}
}
