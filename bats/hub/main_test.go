package main

import (
	"bufio"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
)

func TestHubFollowsCommands(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	args := []string{"-bare", "-kubeconfig", kubeconfig, "-programs", hubtest.Require(t)}
	in, commands := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(t.Context(), args, in, out)
		ended <- err
		_ = out.CloseWithError(err)
	}()

	lines := bufio.NewReader(answers)
	expect := func(want string, accepts bool) {
		t.Helper()
		if line, err := lines.ReadString('\n'); err != nil || line != want+"\n" {
			t.Fatalf("the hub prints %q, %v; want %s", line, err, want)
		}
		config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", strings.TrimPrefix(config.Host, "https://"))
		if (err == nil) != accepts {
			t.Fatalf("a connection after %s: %v", want, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	expect("ready", true)
	_, _ = io.WriteString(commands, "stop\n")
	expect("stopped", false)
	_, _ = io.WriteString(commands, "start\n")
	expect("ready", true)
	_ = commands.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestParseOptionsNeedsKubeconfig(t *testing.T) {
	if _, err := parseOptions([]string{"-programs", "programs"}); err == nil {
		t.Error("no kubeconfig is accepted")
	}
	o, err := parseOptions([]string{"-kubeconfig", "file", "-programs", "programs", "-bare"})
	if want := (options{kubeconfig: "file", programs: "programs", bare: true}); err != nil || o != want {
		t.Errorf("the options are %+v, %v", o, err)
	}
}
