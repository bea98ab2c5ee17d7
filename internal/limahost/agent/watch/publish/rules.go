package publish

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/lima-vm/lima/pkg/limayaml"
)

const guestSSHPort = 22

// rules returns the rules for the host addresses of the guest's ports. The port for SSH
// is not published. The user's lima.yaml decides on other ports. All remaining ports are
// published with the same number at 127.0.0.1.
func rules(cfg Config) []limayaml.PortForward {
	y := cfg.YAML
	if y == nil {
		y = &limayaml.LimaYAML{}
	}
	// The rules of the lima.yaml have Lima's defaults already.
	own := []limayaml.PortForward{
		{GuestIP: net.IPv4zero, GuestPort: guestSSHPort, Ignore: true},
		{GuestIP: net.IPv4zero, GuestPort: cfg.SSHPort, Ignore: true},
		{Proto: limayaml.ProtoAny},
	}
	for i := range own {
		limayaml.FillPortForwardDefaults(&own[i], cfg.Dir, y.User, y.Param)
	}
	return slices.Concat(own[:2], y.PortForwards, own[2:])
}

// hostAddr returns the address on the host at which a port of the guest is published, by
// the first rule that applies. It is empty for a port that is not published.
func hostAddr(rules []limayaml.PortForward, at port) string {
	ip := net.ParseIP(at.ip)
	for _, rule := range rules {
		switch {
		case rule.GuestSocket != "" || rule.HostSocket != "",
			rule.Proto != limayaml.ProtoAny && !strings.HasPrefix(at.protocol, rule.Proto),
			at.number < rule.GuestPortRange[0] || at.number > rule.GuestPortRange[1],
			!appliesTo(rule, ip):
			continue
		case rule.Ignore && ip.IsUnspecified() && !rule.GuestIP.IsUnspecified():
			// The rule ignores one of the addresses, and not all of them.
			continue
		case rule.Ignore:
			return ""
		}
		number := rule.HostPortRange[0] + at.number - rule.GuestPortRange[0]
		return net.JoinHostPort(rule.HostIP.String(), strconv.Itoa(number))
	}
	return ""
}

// appliesTo reports whether a rule applies to an address that the guest listens on.
// A server on all addresses matches each rule, and a rule for 0.0.0.0 matches each
// address, unless guestIPMustBeZero is set.
func appliesTo(rule limayaml.PortForward, ip net.IP) bool {
	switch {
	case ip.IsUnspecified(), ip.Equal(rule.GuestIP):
		return true
	case ip.Equal(net.IPv6loopback) && rule.GuestIP.Equal(limayaml.IPv4loopback1):
		return true
	default:
		return rule.GuestIP.IsUnspecified() && !rule.GuestIPMustBeZero
	}
}
