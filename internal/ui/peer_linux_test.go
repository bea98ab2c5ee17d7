package ui

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// helperVariable makes the test program a client of the address in it.
const helperVariable = "RDD_TEST_CONNECT"

func TestMain(m *testing.M) {
	if address := os.Getenv(helperVariable); address != "" {
		got, err := http.Get(address)
		if err != nil {
			os.Exit(3)
		}
		defer got.Body.Close()
		_, _ = io.Copy(os.Stdout, got.Body)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Another user gets no answer, even with a code that is valid.
func TestOtherUserGetsNothing(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	s := startTest(t, testConfig(t))
	program := copyOfTest(t)
	address := s.LoginURL()
	run := func(uid uint32) (string, error) {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Dir = "/"
		cmd.Env = []string{helperVariable + "=" + address}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.Output()
		return string(out), err
	}
	out, err := run(65534)
	if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 3 || out != "" {
		t.Errorf("another user gets %q: %v", out, err)
	}
	if out, err := run(0); err != nil || !strings.Contains(out, "Log in") {
		t.Errorf("the user gets %q: %v", out, err) // it is logged in, and keeps no cookie for the page
	}
}

// copyOfTest returns a copy of this program that other users can run.
func copyOfTest(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "rdd-ui-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := dir + "/client"
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(program, text, 0o755)); err != nil {
		t.Fatal(err)
	}
	return program
}

func TestSocketUserOfOwnConnection(t *testing.T) {
	client, server := connection(t)
	if uid, err := socketUser(server.RemoteAddr(), server.LocalAddr()); err != nil || uid != os.Getuid() {
		t.Errorf("socketUser = %d, %v", uid, err)
	}
	client.Close()
	if uid, err := socketUser(server.RemoteAddr(), server.LocalAddr()); err == nil {
		t.Errorf("the user of a closed connection is %d: %v", uid, err)
	}
}

func connection(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err = net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// An answer about another socket than the one in question is no answer.
func TestUserOfOtherSocketRefused(t *testing.T) {
	question := newDiagRequest(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2})
	answer := make([]byte, diagMessageSize)
	answer[1] = tcpEstablished
	copy(answer[4:], question[8:48])
	answer[64], answer[68] = 7, 1
	if uid, err := userOf(answer, question); err != nil || uid != 7 {
		t.Errorf("userOf = %d, %v", uid, err)
	}
	for name, change := range map[string]func([]byte){
		"not connected": func(a []byte) { a[1] = 10 }, "of no process": func(a []byte) { a[68] = 0 },
		"of another port": func(a []byte) { a[5]++ }, "of another address": func(a []byte) { a[8]++ },
	} {
		changed := append([]byte(nil), answer...)
		change(changed)
		if uid, err := userOf(changed, question); err == nil {
			t.Errorf("a socket that is %s has the user %d", name, uid)
		}
	}
}

func BenchmarkSocketUser(b *testing.B) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	server, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	for b.Loop() {
		if _, err := socketUser(server.RemoteAddr(), server.LocalAddr()); err != nil {
			b.Fatal(err)
		}
	}
}
