package publish

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lima-vm/lima/pkg/guestagent/api"
	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest/guesttest"
)

// rulesOf returns the rules of a VM with the SSH port 40000.
func rulesOf(t *testing.T, users ...limayaml.PortForward) []limayaml.PortForward {
	t.Helper()
	dir := t.TempDir()
	user := limayaml.User{Name: new("rdd"), UID: new(uint32(1000)), Home: new("/home/rdd")}
	for i := range users {
		limayaml.FillPortForwardDefaults(&users[i], dir, user, nil)
	}
	return rules(Config{YAML: &limayaml.LimaYAML{PortForwards: users}, Dir: dir, SSHPort: 40000})
}

func TestHostAddrFollowsRules(t *testing.T) {
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
		number, err := strconv.Atoi(c.port)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostAddr(rulesOf(t, users...), port{c.protocol, c.ip, number}); got != c.want {
			t.Errorf("%s %s:%s appears at %q, want %q", c.protocol, c.ip, c.port, got, c.want)
		}
	}
}

// server answers each connection with a word. It returns its port.
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

// takenPort returns a port and its listener.
func takenPort(t *testing.T) (int, net.Listener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port, l
}

// connect returns a connection to a fake guest.
func connect(t *testing.T) *guest.Conn {
	t.Helper()
	fake := guesttest.Start(t)
	conns := make(chan *guest.Conn, 1)
	link := guest.New(guest.Config{
		Addr: fake.Addr(), User: "rdd", KeyFile: fake.KeyFile, KnownHosts: filepath.Join(t.TempDir(), "known_hosts"),
	}, guest.Hooks{
		Answered: func() {}, Failed: func(error) {}, Beat: func(limahost.Guest) {}, Down: func(error) {},
		Up: func(c *guest.Conn) { conns <- c },
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		link.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return <-conns
}

func TestPortsFollowGuest(t *testing.T) {
	conn, ctx := connect(t), t.Context()
	inGuest := server(t, "from the guest")
	onHost, taken := takenPort(t)
	var note string
	p := newPorts(conn, nil, Config{Log: slog.New(slog.DiscardHandler), Report: func(text string) { note = text }})
	p.rules = rulesOf(t, limayaml.PortForward{GuestPort: inGuest, HostPort: onHost})
	defer p.close()
	listening := []*api.IPPort{
		{Protocol: "tcp", Ip: "0.0.0.0", Port: int32(inGuest)},
		{Protocol: "tcp", Ip: "::", Port: int32(inGuest)},
	}
	// Another listener has the port, and would share it on request.
	p.handle(ctx, &api.Event{LocalPortsAdded: listening[:1]})
	if !strings.Contains(note, fmt.Sprintf("tcp port %d of the VM is not published", inGuest)) || !strings.Contains(note, "in use") {
		t.Errorf("note %q", note)
	}
	taken.Close()
	p.reconcile(ctx)
	p.handle(ctx, &api.Event{LocalPortsAdded: listening[1:]})
	if note != "" || len(p.open) != 1 {
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
	p.handle(ctx, &api.Event{LocalPortsRemoved: listening})
	if _, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
		t.Error("a port that was closed in the guest is still open")
	}
}

// Several listeners of the guest have one address on the host. One of them is published
// at any time.
func TestPortIsPublishedWhileOneListens(t *testing.T) {
	conn := connect(t)
	all, local, six, other := "tcp 0.0.0.0", "tcp 127.0.0.1", "tcp6 ::", "tcp 127.0.0.9"
	type step struct {
		added, removed []string
		want           string
	}
	for name, steps := range map[string][]step{
		"the first ends":           {{added: []string{all}, want: all}, {added: []string{local}, want: all}, {removed: []string{all}, want: local}, {removed: []string{local}}},
		"the second ends":          {{added: []string{all}, want: all}, {added: []string{local}, want: all}, {removed: []string{local}, want: all}},
		"one event":                {{added: []string{local, all}, want: all}, {removed: []string{all}, added: []string{six}, want: local}},
		"one replaces the other":   {{added: []string{all}, want: all}, {removed: []string{all}, added: []string{local}, want: local}},
		"both end":                 {{added: []string{all, local}, want: all}, {removed: []string{local, all}}},
		"IPv4 and IPv6":            {{added: []string{six}, want: six}, {added: []string{all}, want: six}, {removed: []string{six}, want: all}},
		"one that is not reported": {{added: []string{all}, want: all}, {removed: []string{local}, want: all}},
		"one that is ignored":      {{added: []string{other}}, {added: []string{all}, want: all}, {removed: []string{all}}},
	} {
		t.Run(name, func(t *testing.T) {
			onHost, taken := takenPort(t)
			taken.Close()
			var note string
			p := newPorts(conn, nil, Config{Log: slog.New(slog.DiscardHandler), Report: func(text string) { note = text }})
			p.rules = rulesOf(t, limayaml.PortForward{GuestIP: net.ParseIP("127.0.0.9"), GuestPort: 8080, Ignore: true},
				limayaml.PortForward{GuestPort: 8080, HostPort: onHost})
			defer p.close()
			for i, s := range steps {
				p.handle(t.Context(), &api.Event{LocalPortsAdded: guestPorts(s.added), LocalPortsRemoved: guestPorts(s.removed)})
				var got []string
				for at := range p.open {
					got = append(got, at.protocol+" "+at.ip)
				}
				if strings.Join(got, ", ") != s.want || note != "" {
					t.Fatalf("step %d: %q published, want %q; note %q", i, got, s.want, note)
				}
			}
		})
	}
}

// guestPorts returns the listeners of port 8080, each with its protocol and address.
func guestPorts(listeners []string) (ports []*api.IPPort) {
	for _, l := range listeners {
		protocol, ip, _ := strings.Cut(l, " ")
		ports = append(ports, &api.IPPort{Protocol: protocol, Ip: ip, Port: 8080})
	}
	return ports
}
