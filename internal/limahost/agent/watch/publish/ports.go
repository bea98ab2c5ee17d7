package publish

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/lima-vm/lima/pkg/guestagent/api"
	guestagent "github.com/lima-vm/lima/pkg/guestagent/api/client"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/portfwd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/forward"
)

// ports are the published ports of one connection to a guest.
type ports struct {
	Config
	rules []limayaml.PortForward
	conn  *guest.Conn
	udp   *guestagent.GuestAgentClient
	// reported are the ports that the guest agent has reported.
	reported map[port]bool
	// open has the listener of each published port, and failed the error of each port
	// that could not be opened. Some reported ports have neither, see publish.
	open   map[port]io.Closer
	failed map[port]error
}

// port is a port of the guest.
type port struct {
	protocol, ip string
	number       int
}

func (p port) String() string { return fmt.Sprintf("%s port %d", p.protocol, p.number) }

// network returns the protocol without the version of IP.
func (p port) network() string { return strings.TrimRight(p.protocol, "46") }

func compare(a, b port) int {
	return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.protocol, b.protocol), cmp.Compare(a.ip, b.ip))
}

func portOf(p *api.IPPort) port {
	return port{protocol: p.GetProtocol(), ip: p.GetIp(), number: int(p.GetPort())}
}

func newPorts(conn *guest.Conn, udp *guestagent.GuestAgentClient, cfg Config) *ports {
	return &ports{
		Config: cfg, rules: rules(cfg), conn: conn, udp: udp,
		reported: map[port]bool{}, open: map[port]io.Closer{}, failed: map[port]error{},
	}
}

// handle handles an event of the guest agent.
func (p *ports) handle(ctx context.Context, e *api.Event) {
	for _, removed := range e.GetLocalPortsRemoved() {
		delete(p.reported, portOf(removed))
	}
	for _, added := range e.GetLocalPortsAdded() {
		p.reported[portOf(added)] = true
	}
	p.reconcile(ctx)
}

// reconcile makes the published ports those that the guest agent has reported. It also
// retries the ports that could not be opened.
func (p *ports) reconcile(ctx context.Context) {
	for at, closer := range p.open {
		if !p.reported[at] {
			closer.Close()
			delete(p.open, at)
		}
	}
	maps.DeleteFunc(p.failed, func(at port, _ error) bool { return !p.reported[at] })
	for _, at := range slices.SortedFunc(maps.Keys(p.reported), compare) {
		p.publish(ctx, at)
	}
	p.report()
}

func (p *ports) close() {
	for _, closer := range p.open {
		closer.Close()
	}
}

// publish opens one port, unless another port of the guest has its address: several
// ports can have one, such as a port for IPv4 and for IPv6. The next is opened when the
// first has ended.
func (p *ports) publish(ctx context.Context, at port) {
	addr := hostAddr(p.rules, at)
	if addr == "" || p.open[at] != nil {
		return
	}
	before := p.failed[at]
	delete(p.failed, at)
	for other := range p.open {
		if other.network() == at.network() && hostAddr(p.rules, other) == addr {
			return
		}
	}
	closer, err := p.listen(ctx, at, addr)
	if err != nil {
		if before == nil || before.Error() != err.Error() {
			p.Log.Warn("a port is not published", "guest", at.String(), "host", addr, "error", err)
		}
		p.failed[at] = err
		return
	}
	p.Log.Info("a port is published", "guest", at.String(), "host", addr)
	p.open[at] = closer
}

func (p *ports) listen(ctx context.Context, at port, addr string) (io.Closer, error) {
	inGuest := net.JoinHostPort(at.ip, strconv.Itoa(at.number))
	if strings.HasPrefix(at.protocol, limayaml.ProtoUDP) {
		conn, err := portfwd.ListenPacket(ctx, net.ListenConfig{}, addr)
		if err != nil {
			return nil, err
		}
		go portfwd.HandleUDPConnection(ctx, p.udp, conn, inGuest)
		return conn, nil
	}
	listener, err := portfwd.Listen(ctx, net.ListenConfig{}, addr)
	if err != nil {
		return nil, err
	}
	// A server that listens on all addresses is reached at localhost.
	if ip := net.ParseIP(at.ip); ip == nil || ip.IsUnspecified() {
		inGuest = net.JoinHostPort("localhost", strconv.Itoa(at.number))
	}
	forwarded := forward.Serve(listener, func(ctx context.Context) (net.Conn, error) {
		return p.conn.DialTCP(ctx, inGuest)
	}, p.Log)
	return closerFunc(forwarded.Close), nil
}

type closerFunc func()

// Close implements io.Closer.
func (c closerFunc) Close() error {
	c()
	return nil
}

// report reports the ports that are not published.
func (p *ports) report() {
	var lines []string
	for at, err := range p.failed {
		lines = append(lines, fmt.Sprintf("%s of the VM is not published: %v", at, err))
	}
	slices.Sort(lines)
	p.Report(strings.Join(slices.Compact(lines), "; "))
}
