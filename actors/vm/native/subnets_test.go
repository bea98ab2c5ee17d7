package native

import (
	"net/netip"
	"strings"
	"testing"
)

func prefixes(list string) []netip.Prefix {
	var all []netip.Prefix
	for word := range strings.FieldsSeq(list) {
		all = append(all, netip.MustParsePrefix(word))
	}
	return all
}

func TestChooseAddressesOverlapsNoRoute(t *testing.T) {
	for _, test := range []struct {
		name, wanted, remembered, taken string
		// bridge and pool are the ranges of the bridge and of the first pool; bridge
		// is empty when no range is free. exact is the bridge's full address.
		bridge, pool, exact string
	}{
		{name: "nothing is taken", bridge: "172.16.0.0/16", pool: "172.17.0.0/16"},
		{name: "the address of last time", remembered: "172.16.7.1/24", bridge: "172.16.0.0/16", pool: "172.17.0.0/16", exact: "172.16.7.1/24"},
		{name: "a VPN has that", remembered: "172.16.7.1/24", taken: "172.16.7.128/25", bridge: "172.16.0.0/16", pool: "172.17.0.0/16"},
		{name: "docker0 is there", taken: "172.17.0.0/16", bridge: "172.16.0.0/16", pool: "172.18.0.0/16"},
		{name: "a VPN has 172.16.0.0/12", remembered: "172.16.7.1/24", taken: "172.16.0.0/12", bridge: "10.224.0.0/12", pool: "192.168.0.0/20"},
		{name: "and the LAN a part of 192.168.0.0/16", taken: "172.16.0.0/12 192.168.1.0/24", bridge: "10.224.0.0/12", pool: "192.168.16.0/20"},
		{name: "and all of it is routed", taken: "172.16.0.0/12 192.168.0.0/16", bridge: "10.224.0.0/12", pool: "10.208.0.0/16"},
		{name: "all private ranges are", taken: "172.16.0.0/12 192.168.0.0/16 10.0.0.0/8", bridge: "198.18.0.0/17", pool: "198.18.128.0/17"},
		{name: "a default route in halves", taken: "0.0.0.0/1 128.0.0.0/1", bridge: "172.16.0.0/16", pool: "172.17.0.0/16"},
		{name: "nothing is left", taken: "172.16.0.0/12 192.168.0.0/16 10.0.0.0/8 198.18.0.0/15"},
		{name: "a range that is chosen", wanted: "10.99.0.0/16", remembered: "172.16.7.1/24", bridge: "10.99.0.0/16", pool: "10.99.0.0/16"},
		{name: "the address of last time in it", wanted: "10.99.0.0/16", remembered: "10.99.3.1/24", bridge: "10.99.0.0/16", pool: "10.99.0.0/16", exact: "10.99.3.1/24"},
		{name: "a part of it is taken", wanted: "10.99.0.0/16", taken: "10.99.0.0/20", bridge: "10.99.0.0/16", pool: "10.99.16.0/20"},
		{name: "all of it is taken", wanted: "10.99.0.0/16", taken: "10.0.0.0/8"},
		{name: "the widest", wanted: "10.0.0.0/8", bridge: "10.0.0.0/8", pool: "10.0.0.0/8"},
		{name: "the narrowest", wanted: "192.168.16.0/20", bridge: "192.168.16.0/20", pool: "192.168.16.0/20"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wanted, err := parseSubnet(test.wanted)
			if err != nil {
				t.Fatal(err)
			}
			taken := prefixes(test.taken)
			got, err := chooseAddresses("rdd12345678", wanted, test.remembered, taken)
			if (err != nil) != (test.bridge == "") || err != nil && !strings.Contains(err.Error(), "containerEngine.subnet") {
				t.Fatalf("%+v, %v", got, err)
			}
			if err != nil {
				return
			}
			if !netip.MustParsePrefix(test.bridge).Contains(got.bridge.Addr()) || test.exact != "" && got.bridge.String() != test.exact {
				t.Errorf("the bridge has %s", got.bridge)
			}
			if len(got.pools) < 2 || !netip.MustParsePrefix(test.pool).Overlaps(netip.MustParsePrefix(got.pools[0].Base)) {
				t.Fatalf("the pools are %v", got.pools)
			}
			noneOverlap(t, got, taken)
		})
	}
}

// noneOverlap fails when a chosen range overlaps another one, or a taken one.
func noneOverlap(t *testing.T, got addresses, taken []netip.Prefix) {
	t.Helper()
	all := []netip.Prefix{got.bridge.Masked()}
	for _, p := range got.pools {
		prefix := netip.MustParsePrefix(p.Base)
		if p.Size < prefix.Bits() || p.Size > bridgeBits || prefix != prefix.Masked() {
			t.Errorf("dockerd refuses the pool %+v", p)
		}
		all = append(all, prefix)
	}
	for i, one := range all {
		for _, other := range append(all[i+1:], taken...) {
			if other.Bits() >= broadest && one.Overlaps(other) {
				t.Errorf("%s overlaps %s", one, other)
			}
		}
	}
}

func TestChooseAddressesDiffersByInstance(t *testing.T) {
	var taken []netip.Prefix
	one, err := chooseAddresses("rdd1", netip.Prefix{}, "", taken)
	if err != nil {
		t.Fatal(err)
	}
	two, err := chooseAddresses("rdd2", netip.Prefix{}, "", taken)
	if err != nil || one.bridge == two.bridge {
		t.Errorf("%s and %s, %v", one.bridge, two.bridge, err)
	}
}

func TestParseSubnetRefusesInvalidRange(t *testing.T) {
	for _, text := range []string{"10.99.0.0", "10.99.0.1/16", "10.0.0.0/7", "10.99.0.0/21", "fd00::/16", "x"} {
		if p, err := parseSubnet(text); err == nil || !strings.Contains(err.Error(), "10.99.0.0/16") {
			t.Errorf("%s: %s, %v", text, p, err)
		}
	}
}
