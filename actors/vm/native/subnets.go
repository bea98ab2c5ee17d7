package native

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
)

// pool is a range from which dockerd takes the subnets of networks without an
// explicit one, as in its configuration file.
type pool struct {
	// Base in CIDR form.
	Base string `json:"base"`
	// Size is the prefix length of each subnet.
	Size int `json:"size"`
}

// addresses are the default addresses of an engine's networks.
type addresses struct {
	// bridge is the address of the instance's bridge, with its prefix length.
	bridge netip.Prefix
	pools  []pool
}

// These are the prefix lengths of the bridge's subnet and of the ranges that the
// property containerEngine.subnet accepts.
const (
	bridgeBits              = 24
	widestRange, narrowest  = 8, 20
	bridgesTried, poolParts = 256, 16
)

// broadest is the shortest prefix length of a route that counts as taken. Shorter
// ones are default routes: some VPNs have two routes with prefix length 1 instead.
const broadest = 8

// candidates returns the default ranges of addresses in order of preference. The
// first are those of dockerd, whose addresses users know. The last is 198.18.0.0/15,
// which RFC 2544 keeps off the internet.
func candidates() []candidate {
	var list []candidate
	for second := 17; second < 32; second++ {
		list = append(list, candidate{netip.PrefixFrom(netip.AddrFrom4([4]byte{172, byte(second)}), 16), 16})
	}
	for third := 0; third < 256; third += 16 {
		list = append(list, candidate{netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, byte(third)}), 20), 20})
	}
	for second := 208; second < 224; second++ {
		list = append(list, candidate{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(second)}), 16), 20})
	}
	for quarter := range uint32(4) {
		list = append(list, candidate{nth(netip.MustParsePrefix("198.18.0.0/15"), 17, quarter), 20})
	}
	return list
}

// candidate is a range, and the prefix length of the subnets in it.
type candidate struct {
	prefix netip.Prefix
	size   int
}

// chooseAddresses returns addresses that overlap none of taken. They are in the range
// wanted; with the zero value, rdd chooses the range. The bridge keeps the remembered
// address if possible. name is unique for each instance of a machine, so that
// instances begin at different subnets.
func chooseAddresses(name string, wanted netip.Prefix, remembered string, taken []netip.Prefix) (addresses, error) {
	taken = slices.DeleteFunc(slices.Clone(taken), func(p netip.Prefix) bool { return p.Bits() < broadest })
	bridges, ranges := bridgeRanges(), candidates()
	if wanted.IsValid() {
		bridges, ranges = []netip.Prefix{wanted}, parts(wanted)
	}
	var chosen addresses
	kept, err := netip.ParsePrefix(remembered)
	if err == nil && isFree(kept, taken) && (!wanted.IsValid() || wanted.Bits() <= kept.Bits() && wanted.Contains(kept.Addr())) {
		chosen.bridge = kept
	} else if chosen.bridge = firstBridge(name, bridges, taken); !chosen.bridge.IsValid() {
		return addresses{}, noFreeRange(wanted)
	}
	taken = append(taken, chosen.bridge.Masked())
	for _, c := range ranges {
		if isFree(c.prefix, taken) {
			chosen.pools = append(chosen.pools, pool{c.prefix.String(), c.size})
		}
	}
	return chosen, nil
}

func noFreeRange(wanted netip.Prefix) error {
	if wanted.IsValid() {
		return fmt.Errorf("containerEngine.subnet=%s: every part of it overlaps a route of this machine ('ip route show table all' lists them): choose another range, or none with 'rdd set containerEngine.subnet='", wanted)
	}
	return errors.New("every private range of addresses overlaps a route of this machine ('ip route show table all' lists them): remove a route, or choose a range with 'rdd set containerEngine.subnet=RANGE', such as 10.99.0.0/16")
}

// bridgeRanges returns the ranges for bridges in order of preference. The first is
// 172.16.0.0/16, which dockerd's own pools leave out.
func bridgeRanges() []netip.Prefix {
	list := []netip.Prefix{netip.MustParsePrefix("172.16.0.0/16"), netip.MustParsePrefix("10.224.0.0/12"), netip.MustParsePrefix("192.168.240.0/20")}
	for _, c := range candidates() {
		list = append(list, c.prefix)
	}
	return list
}

// firstBridge returns the first address of the first free subnet in the ranges. The
// result is invalid when no subnet is free.
func firstBridge(name string, ranges []netip.Prefix, taken []netip.Prefix) netip.Prefix {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	first := hash.Sum32()
	for _, r := range ranges {
		count := uint32(1) << (bridgeBits - min(bridgeBits, r.Bits()))
		for i := range min(count, bridgesTried) {
			subnet := nth(r, bridgeBits, (first+i)%count)
			if isFree(subnet, taken) {
				return netip.PrefixFrom(subnet.Addr().Next(), bridgeBits)
			}
		}
	}
	return netip.Prefix{}
}

// nth returns the nth subnet with this prefix length in an IPv4 range.
func nth(r netip.Prefix, bits int, n uint32) netip.Prefix {
	b := r.Masked().Addr().As4()
	at := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	at += n << (32 - bits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at)}), bits)
}

// parts splits a range that the user has chosen, so that a route which overlaps one
// part leaves the others usable.
func parts(r netip.Prefix) []candidate {
	bits := r.Bits() + 4
	size := bridgeBits
	if r.Bits() <= 12 {
		size = 20
	}
	var list []candidate
	for i := range uint32(poolParts) {
		list = append(list, candidate{nth(r, bits, i), size})
	}
	return list
}

func isFree(p netip.Prefix, taken []netip.Prefix) bool {
	return !slices.ContainsFunc(taken, p.Overlaps)
}

// parseSubnet parses the property containerEngine.subnet. It returns the zero value
// for "". The schema of the App accepts only valid values.
func parseSubnet(text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err == nil && (!p.Addr().Is4() || p != p.Masked() || p.Bits() < widestRange || p.Bits() > narrowest) {
		err = errors.New("not the first address of an IPv4 range with a prefix length from 8 to 20")
	}
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("containerEngine.subnet=%s: %w: write it as in 10.99.0.0/16", text, err)
	}
	return p, nil
}
