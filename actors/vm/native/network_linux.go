package native

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
)

// mender is what is left to do for the firewall after a start of dockerd. It
// gives the lock of the firewall back and must be called.
type mender func(ctx context.Context, answers bool)

// prepareNetwork makes the bridge of a dockerd that is about to start, and
// remembers its subnet in s. mend is to be called when the engine answers, or
// will not: it repairs what dockerd did to the firewall rules of others.
func (d *Driver) prepareNetwork(ctx context.Context, k kind, s *state) (bridge string, mend mender, err error) {
	bridge = bridgeName(d.cfg)
	if err := ensureBridge(bridge, s); err != nil {
		return "", nil, err
	}
	unlock := d.lockHost(ctx)
	before := d.readRules(ctx)
	if s.Forwarding == nil {
		s.Forwarding = readForwarding(before)
	}
	old := append([]network{{Bridge: bridge, Subnets: []string{s.Subnet}}}, s.Networks...)
	return bridge, func(ctx context.Context, answers bool) {
		defer unlock()
		own := old
		if answers {
			own = append(d.recordNetworks(ctx, k), old...)
		}
		d.restoreOthers(ctx, before, own)
	}, nil
}

// ensureBridge makes the bridge, up and with an address, unless it is there.
// dockerd demands that a bridge other than docker0 exists, and takes its subnet
// from the bridge's address.
func ensureBridge(name string, s *state) error {
	link, err := netlink.LinkByName(name)
	if _, ok := errors.AsType[netlink.LinkNotFoundError](err); ok {
		link = &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}
		err = netlink.LinkAdd(link)
	}
	if err != nil {
		return fmt.Errorf("make the bridge %s: %w", name, err)
	}
	addrs, err := netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("read the addresses of the bridge %s: %w", name, err)
	}
	if len(addrs) > 0 {
		s.Subnet = addrs[0].IPNet.String()
		return up(link)
	}
	if s.Subnet, err = pickSubnet(name, s.Subnet); err != nil {
		return err
	}
	addr, err := netlink.ParseAddr(s.Subnet)
	if err != nil {
		return fmt.Errorf("subnet %q of the bridge %s: %w", s.Subnet, name, err)
	}
	if err := netlink.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("give the bridge %s the address %s: %w", name, s.Subnet, err)
	}
	return up(link)
}

func up(link netlink.Link) error {
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring the bridge %s up: %w", link.Attrs().Name, err)
	}
	return nil
}

// pickSubnet returns a free subnet: the remembered one if it still is, else the
// first of those that subnets proposes. The result is the bridge's address in
// CIDR form.
func pickSubnet(name, remembered string) (string, error) {
	taken, err := takenPrefixes()
	if err != nil {
		return "", err
	}
	if kept, err := netip.ParsePrefix(remembered); err == nil && isFree(kept, taken) {
		return remembered, nil
	}
	for _, candidate := range subnets(name) {
		if isFree(candidate, taken) {
			return candidate.String(), nil
		}
	}
	return "", errors.New("no /24 of 172.16.0.0/16 is free for the engine's bridge; 'ip route' shows what is in use")
}

// subnets proposes all /24 of 172.16.0.0/16, which dockerd's own address pools
// leave out, in an order that differs from one instance to the next.
func subnets(name string) []netip.Prefix {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	first := hash.Sum32()
	all := make([]netip.Prefix, 256)
	for i := range all {
		all[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(first + uint32(i)), 1}), 24)
	}
	return all
}

func isFree(p netip.Prefix, taken []netip.Prefix) bool {
	for _, t := range taken {
		if t.Overlaps(p) {
			return false
		}
	}
	return true
}

// takenPrefixes are the subnets of all interfaces and routes, without default routes.
func takenPrefixes() ([]netip.Prefix, error) {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("read the routes: %w", err)
	}
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("read the addresses: %w", err)
	}
	var taken []netip.Prefix
	for _, r := range routes {
		taken = appendPrefix(taken, r.Dst)
	}
	for _, a := range addrs {
		taken = appendPrefix(taken, a.IPNet)
	}
	return taken, nil
}

func appendPrefix(list []netip.Prefix, n *net.IPNet) []netip.Prefix {
	if n == nil {
		return list
	}
	p, err := netip.ParsePrefix(n.String())
	if err != nil || p.Bits() == 0 {
		return list
	}
	return append(list, p)
}

// recordNetworks asks the engine for the bridges that it made, and remembers
// them in the state file: once the engine is gone nobody can tell whose they are.
func (d *Driver) recordNetworks(ctx context.Context, k kind) []network {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var answer []struct {
		ID      string `json:"Id"`
		Driver  string
		Options map[string]string
		IPAM    struct{ Config []struct{ Subnet string } }
	}
	if err := probe.Get(ctx, k.endpoint(), "/networks", &answer); err != nil {
		d.log.Warn("cannot list the engine's networks", "error", err)
		return load(d.paths.state).Networks
	}
	var own []network
	byEngine := bridgesMade(k)
	for _, n := range answer {
		name := n.Options["com.docker.network.bridge.name"]
		foreign := name != "" && !byEngine[n.ID]
		if name == "" && len(n.ID) >= 12 {
			name = "br-" + n.ID[:12]
		}
		if n.Driver != "bridge" || name == bridgeName(d.cfg) {
			continue
		}
		made := network{Bridge: name, Foreign: foreign}
		for _, c := range n.IPAM.Config {
			made.Subnets = append(made.Subnets, c.Subnet)
		}
		own = append(own, made)
	}
	s := load(d.paths.state)
	s.Networks = own
	if err := s.save(d.paths.state); err != nil {
		d.log.Warn("cannot record the engine's networks", "error", err)
	}
	return own
}
