package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/probe"
)

// firewallRestorer restores the firewall rules of other engines after a start of
// dockerd, and releases the lock of the firewall. It must be called.
type firewallRestorer func(ctx context.Context, answers bool)

// prepareNetwork makes the bridge of a dockerd that is about to start, and records
// its subnet in s. The caller calls the firewallRestorer when the engine answers,
// or when the start has failed.
func (d *Driver) prepareNetwork(ctx context.Context, k kind, s *state) (dockerNetwork, firewallRestorer, error) {
	bridge := bridgeName(d.cfg)
	pools, err := d.ensureBridge(k, s)
	if err != nil {
		return dockerNetwork{}, nil, err
	}
	unlock := d.lockHost(ctx)
	before := d.readRules(ctx)
	if s.Forwarding == nil {
		s.Forwarding = readForwarding(before)
	}
	old := append([]network{{Bridge: bridge, Subnets: []string{s.Subnet}}}, s.Networks...)
	return dockerNetwork{bridge: bridge, pools: pools}, func(ctx context.Context, answers bool) {
		defer unlock()
		own := old
		if answers {
			own = append(d.recordNetworks(ctx, k), old...)
		}
		d.restoreOthers(ctx, before, own)
	}, nil
}

// ensureBridge makes the bridge with an address, and returns the ranges for other
// networks. dockerd requires that a bridge other than docker0 exists, and takes its
// subnet from the bridge's address. An existing bridge keeps its address while the
// address is still valid or containers use it.
func (d *Driver) ensureBridge(k kind, s *state) ([]pool, error) {
	name := bridgeName(d.cfg)
	link, err := netlink.LinkByName(name)
	if _, ok := errors.AsType[netlink.LinkNotFoundError](err); ok {
		link, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the bridge %s: %w", name, err)
	}
	var addrs []netlink.Addr
	if link != nil {
		if addrs, err = netlink.AddrList(link, netlink.FAMILY_V4); err != nil {
			return nil, fmt.Errorf("read the addresses of the bridge %s: %w", name, err)
		}
	}
	if len(addrs) > 0 {
		s.Subnet = addrs[0].IPNet.String()
	}
	inUse := len(addrs) > 0 && len(leftovers(k)) > 0
	chosen, err := d.choose(*s)
	switch {
	case inUse:
		return chosen.pools, up(link)
	case err != nil:
		return nil, err
	case len(addrs) > 0 && s.Subnet == chosen.bridge.String():
		return chosen.pools, up(link)
	}
	s.Subnet = chosen.bridge.String()
	if load(d.paths.state).Subnet != s.Subnet {
		if err := removeBridgeRecord(k, name); err != nil {
			return nil, err
		}
	}
	return chosen.pools, setAddress(name, link, addrs, s.Subnet)
}

// setAddress replaces the addresses of the bridge by one. It makes the bridge when
// link is nil.
func setAddress(name string, link netlink.Link, old []netlink.Addr, address string) error {
	if link == nil {
		link = &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}
		if err := netlink.LinkAdd(link); err != nil {
			return fmt.Errorf("make the bridge %s: %w", name, err)
		}
	}
	for _, addr := range old {
		if err := netlink.AddrDel(link, &addr); err != nil {
			return fmt.Errorf("remove the address %s of the bridge %s: %w", addr.IPNet, name, err)
		}
	}
	addr, err := netlink.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("subnet %q of the bridge %s: %w", address, name, err)
	}
	if err := netlink.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("set the address %s of the bridge %s: %w", address, name, err)
	}
	return up(link)
}

// choose returns addresses that overlap no route of the machine, except routes to
// the engine's own bridges.
func (d *Driver) choose(s state) (addresses, error) {
	wanted, err := parseSubnet(s.Range)
	if err != nil {
		return addresses{}, err
	}
	taken, err := takenPrefixes(d.networks(s))
	if err != nil {
		return addresses{}, err
	}
	return chooseAddresses(bridgeName(d.cfg), wanted, s.Subnet, taken)
}

func up(link netlink.Link) error {
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring the bridge %s up: %w", link.Attrs().Name, err)
	}
	return nil
}

// takenPrefixes returns the subnets of all interfaces and of the routes in all
// tables, since VPNs have tables of their own. Default routes and own bridges are
// left out.
func takenPrefixes(own []network) ([]netip.Prefix, error) {
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("read the routes: %w", err)
	}
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("read the addresses: %w", err)
	}
	ours := map[int]bool{}
	for _, n := range own {
		if link, err := netlink.LinkByName(n.Bridge); err == nil {
			ours[link.Attrs().Index] = true
		}
	}
	var taken []netip.Prefix
	for _, r := range routes {
		if !ours[r.LinkIndex] {
			taken = appendPrefix(taken, r.Dst)
		}
	}
	for _, a := range addrs {
		if !ours[a.LinkIndex] {
			taken = appendPrefix(taken, a.IPNet)
		}
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

// recordNetworks reads the bridges of the engine from its API, and saves them in the
// state file: after the end of the engine, nothing shows who made a bridge.
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
	byEngine := engineBridges(k)
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
