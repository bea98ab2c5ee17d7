package agent

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lima-vm/lima/pkg/guestagent/api"
	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/guest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// rulesOf are the rules of a VM with the SSH port 40000.
func rulesOf(t *testing.T, users ...limayaml.PortForward) []limayaml.PortForward {
	t.Helper()
	w := &watcher{agent: &agent{paths: limahost.Paths{LimaHome: t.TempDir()}}, guest: guestOf{port: 40000}}
	user := limayaml.User{Name: new("rdd"), UID: new(uint32(1000)), Home: new("/home/rdd")}
	for i := range users {
		limayaml.FillPortForwardDefaults(&users[i], w.paths.Dir(), user, nil)
	}
	w.guest.config = &limayaml.LimaYAML{PortForwards: users}
	return w.rules()
}

func TestWherePortsAppear(t *testing.T) {
	users := []limayaml.PortForward{
		{GuestPort: 8080, HostPort: 9090},
		{GuestPortRange: [2]int{3000, 3010}, HostPortRange: [2]int{4000, 4010}, HostIP: net.IPv4zero},
		{GuestIP: net.ParseIP("10.0.0.1"), GuestPort: 5000, HostPort: 5001},
		{GuestPort: 6000, Ignore: true},
		{GuestIP: net.IPv4zero, GuestIPMustBeZero: true, GuestPort: 7000, HostPort: 7001},
		{GuestPort: 53, HostPort: 5353, Proto: limayaml.ProtoUDP},
		{GuestSocket: "/run/x.sock", HostSocket: "/tmp/x.sock"},
	}
	for _, c := range []struct{ protocol, ip, port, want string }{
		{"tcp", "0.0.0.0", "80", "127.0.0.1:80"},
		{"tcp", "127.0.0.1", "80", "127.0.0.1:80"},
		{"tcp", "::", "80", "127.0.0.1:80"},
		{"tcp", "::1", "80", "127.0.0.1:80"},
		{"tcp", "172.17.0.1", "80", ""},
		{"tcp", "0.0.0.0", "22", ""},
		{"tcp", "127.0.0.1", "22", ""},
		{"tcp", "0.0.0.0", "40000", ""},
		{"tcp", "0.0.0.0", "8080", "127.0.0.1:9090"},
		{"tcp", "127.0.0.1", "3005", "0.0.0.0:4005"},
		{"tcp", "10.0.0.1", "5000", "127.0.0.1:5001"},
		{"tcp", "127.0.0.1", "5000", "127.0.0.1:5000"},
		{"tcp", "127.0.0.1", "6000", ""},
		{"tcp", "127.0.0.1", "7000", "127.0.0.1:7000"},
		{"tcp", "0.0.0.0", "7000", "127.0.0.1:7001"},
		{"udp", "0.0.0.0", "53", "127.0.0.1:5353"},
		{"udp", "0.0.0.0", "54", "127.0.0.1:54"},
		{"udp6", "::", "54", "127.0.0.1:54"},
		{"udp", "192.168.5.15", "68", ""},
	} {
		port, err := strconv.Atoi(c.port)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostAddr(rulesOf(t, users...), place{c.protocol, c.ip, port}); got != c.want {
			t.Errorf("%s %s:%s appears at %q, want %q", c.protocol, c.ip, c.port, got, c.want)
		}
	}
}

// server answers every connection with a word; it returns its port.
func server(t *testing.T, word string) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, word)
			conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// takenPort returns a port, and the listener that has it.
func takenPort(t *testing.T) (int, net.Listener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port, l
}

func TestPublish(t *testing.T) {
	s := play(t, nil)
	s.ready()
	w := &watcher{agent: s.agent, guest: guestOf{}, answers: true}
	w.board.update(func(st *limahost.Status) { st.Note = "" })
	conns := make(chan *guest.Conn, 1)
	_, port, err := net.SplitHostPort(s.guest.Addr())
	if err != nil {
		t.Fatal(err)
	}
	link := guest.New(guest.Config{
		Addr: "127.0.0.1:" + port, User: "rdd", KeyFile: s.guest.KeyFile, KnownHosts: t.TempDir() + "/known_hosts",
	}, guest.Hooks{
		Answers: func() {}, Failed: func(error) {}, Beat: func(limahost.Guest) {}, Down: func(error) {},
		Up: func(c *guest.Conn) { conns <- c },
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go link.Run(ctx)
	conn := <-conns

	inGuest := server(t, "from the guest")
	onHost, taken := takenPort(t)
	p := &publisher{
		w: w, conn: conn, open: map[place]io.Closer{}, refused: map[place]error{},
		rules: rulesOf(t, limayaml.PortForward{GuestPort: inGuest, HostPort: onHost}),
	}
	defer p.close()
	listening := []*api.IPPort{
		{Protocol: "tcp", Ip: "0.0.0.0", Port: int32(inGuest)},
		{Protocol: "tcp", Ip: "::", Port: int32(inGuest)},
	}
	// The port is taken, by a listener that might share it if asked to.
	p.change(ctx, &api.Event{LocalPortsAdded: listening[:1]})
	if note := w.board.read().Note; !strings.Contains(note, fmt.Sprintf("tcp port %d of the VM is not published", inGuest)) || !strings.Contains(note, "in use") {
		t.Errorf("note %q", note)
	}
	taken.Close()
	p.again(ctx)
	p.change(ctx, &api.Event{LocalPortsAdded: listening[1:]})
	if note := w.board.read().Note; note != "" || len(p.open) != 1 {
		t.Errorf("note %q, %d open", note, len(p.open))
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(onHost))
	client, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(10 * time.Second))
	if got, err := io.ReadAll(client); err != nil || string(got) != "from the guest" {
		t.Errorf("%q, %v", got, err)
	}
	p.change(ctx, &api.Event{LocalPortsRemoved: listening})
	if _, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		t.Error("a port that is gone in the guest still appears")
	}
}

// The engine's socket is made again when a program that tidies up removed it.
func TestSocketRemovedByHand(t *testing.T) {
	s := play(t, nil)
	s.ready()
	if err := os.Remove(s.agent.cfg.Socket); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyTrue(t, 10*time.Second, "the socket to come back", s.pings)
}
