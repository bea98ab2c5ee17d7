package agent

import (
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

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/forward"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/guest"
)

// publisher has the ports of one connection to a guest that appear on the host.
// It listens itself, and not through Lima, whose listeners share a port with
// those of another VM without a word.
type publisher struct {
	w     *watcher
	rules []limayaml.PortForward
	conn  *guest.Conn
	udp   *guestagent.GuestAgentClient
	// open ports by their place in the guest, and those that could not be opened.
	open    map[place]io.Closer
	refused map[place]error
}

// place is a port of the guest.
type place struct {
	protocol, ip string
	port         int
}

func (p place) String() string { return fmt.Sprintf("%s port %d", p.protocol, p.port) }

func placeOf(p *api.IPPort) place {
	return place{protocol: p.GetProtocol(), ip: p.GetIp(), port: int(p.GetPort())}
}

// change takes up what the guest agent tells.
func (p *publisher) change(ctx context.Context, e *api.Event) {
	for _, gone := range e.GetLocalPortsRemoved() {
		at := placeOf(gone)
		if closer := p.open[at]; closer != nil {
			closer.Close()
		}
		delete(p.open, at)
		delete(p.refused, at)
	}
	for _, added := range e.GetLocalPortsAdded() {
		p.publish(ctx, placeOf(added))
	}
	p.tell()
}

// again tries what was refused, since whoever has the port may have gone.
func (p *publisher) again(ctx context.Context) {
	for _, at := range slices.Collect(maps.Keys(p.refused)) {
		p.publish(ctx, at)
	}
	p.tell()
}

func (p *publisher) close() {
	for _, closer := range p.open {
		closer.Close()
	}
}

// publish makes one port appear, unless another place of the guest has it: one
// port is told of for IPv4 and for IPv6.
func (p *publisher) publish(ctx context.Context, at place) {
	addr := hostAddr(p.rules, at)
	if addr == "" || p.open[at] != nil {
		return
	}
	was := p.refused[at]
	delete(p.refused, at)
	for other := range p.open {
		if other.protocol == at.protocol && hostAddr(p.rules, other) == addr {
			return
		}
	}
	closer, err := p.listen(ctx, at, addr)
	if err != nil {
		if was == nil || was.Error() != err.Error() {
			p.w.log.Warn("a port is not published", "guest", at.String(), "host", addr, "error", err)
		}
		p.refused[at] = err
		return
	}
	p.w.log.Info("a port is published", "guest", at.String(), "host", addr)
	p.open[at] = closer
}

func (p *publisher) listen(ctx context.Context, at place, addr string) (io.Closer, error) {
	inGuest := net.JoinHostPort(at.ip, strconv.Itoa(at.port))
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
	// Who listens everywhere is reached at home.
	if ip := net.ParseIP(at.ip); ip == nil || ip.IsUnspecified() {
		inGuest = net.JoinHostPort("localhost", strconv.Itoa(at.port))
	}
	forwarded := forward.Serve(listener, func(ctx context.Context) (net.Conn, error) {
		return p.conn.DialTCP(ctx, inGuest)
	}, p.w.log)
	return closerFunc(forwarded.Close), nil
}

type closerFunc func()

// Close implements io.Closer.
func (c closerFunc) Close() error {
	c()
	return nil
}

// tell says which ports are not published.
func (p *publisher) tell() {
	var lines []string
	for at, err := range p.refused {
		lines = append(lines, fmt.Sprintf("%s of the VM is not published: %v", at, err))
	}
	slices.Sort(lines)
	p.w.mu.Lock()
	p.w.portNote = joinNotes(slices.Compact(lines))
	p.w.mu.Unlock()
	p.w.tell()
}

// hostAddr says where on the host a port of the guest appears by the first rule
// that is about it; empty for nowhere.
func hostAddr(rules []limayaml.PortForward, at place) string {
	ip := net.ParseIP(at.ip)
	for _, rule := range rules {
		switch {
		case rule.GuestSocket != "" || rule.HostSocket != "",
			rule.Proto != limayaml.ProtoAny && !strings.HasPrefix(at.protocol, rule.Proto),
			at.port < rule.GuestPortRange[0] || at.port > rule.GuestPortRange[1],
			!aboutIP(rule, ip):
			continue
		case rule.Ignore && ip.IsUnspecified() && !rule.GuestIP.IsUnspecified():
			// One of the addresses that it listens at is to be ignored, not all.
			continue
		case rule.Ignore:
			return ""
		}
		port := rule.HostPortRange[0] + at.port - rule.GuestPortRange[0]
		return net.JoinHostPort(rule.HostIP.String(), strconv.Itoa(port))
	}
	return ""
}

// aboutIP is whether a rule is about what listens at an address of the guest: who
// listens everywhere listens there too, and a rule for 0.0.0.0 is for everything,
// unless it says that it is not.
func aboutIP(rule limayaml.PortForward, ip net.IP) bool {
	switch {
	case ip.IsUnspecified(), ip.Equal(rule.GuestIP):
		return true
	case ip.Equal(net.IPv6loopback) && rule.GuestIP.Equal(limayaml.IPv4loopback1):
		return true
	default:
		return rule.GuestIP.IsUnspecified() && !rule.GuestIPMustBeZero
	}
}
