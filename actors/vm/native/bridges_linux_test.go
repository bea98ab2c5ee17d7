package native

import (
	"errors"
	"maps"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const someNetworks = "\x00\x01 {\"BridgeIfaceCreator\":1,\"BridgeName\":\"br-1\",\"ID\":\"a\",\"Mtu\":0} \xff" +
	`{"BridgeIfaceCreator":2,"BridgeName":"br0","ID":"b"}{"BridgeIfaceCreator":1,"ID":"c"}` +
	`{"BridgeIfaceCreator":1,"ID":"d"}{"BridgeIfaceCreator":2,"ID":"d"}{"BridgeIfaceCreator":1,"ID":"c"}` +
	`{"BridgeIfaceCreator":1}{"BridgeIfaceCreator":"1","ID":"e"}{"BridgeIfaceCreator":1,"ID":"f"`

func TestParseBridges(t *testing.T) {
	want := map[string]bool{"a": true, "b": false, "c": true}
	if got := parseBridges([]byte(someNetworks)); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func FuzzParseBridges(f *testing.F) {
	f.Add([]byte(someNetworks))
	f.Fuzz(func(t *testing.T, data []byte) {
		for id := range parseBridges(data) {
			if id == "" {
				t.Error("a network without an ID")
			}
		}
	})
}

func TestRemoveBridgesKeepsForeignBridges(t *testing.T) {
	// The thread has its own network namespace, and ends with the test.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); errors.Is(err, os.ErrPermission) {
		t.Skipf("no network namespace can be made here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rdd1", "br-1", "br0"} {
		if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeBridges([]network{{Bridge: "rdd1"}, {Bridge: "br-1"}, {Bridge: "br0", Foreign: true}, {Bridge: "none"}}); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]bool{"rdd1": false, "br-1": false, "br0": true} {
		if _, err := netlink.LinkByName(name); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
