package native

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"go.etcd.io/bbolt"
)

// bridgesMade returns, by the ID of the network, for which networks dockerd made
// the bridge itself. It is in dockerd's own record of its networks, and nowhere in
// its API: a network can be put on a bridge that the user made.
func bridgesMade(k kind) map[string]bool {
	data, err := os.ReadFile(filepath.Join(k.dataDir, "network", "files", "local-kv.db"))
	if err != nil {
		return nil
	}
	return parseBridges(data)
}

// createdByEngine is ifaceCreatedByLibnetwork of dockerd's bridge driver; 2 stands
// for a bridge of the user.
const createdByEngine = 1

// parseBridges finds the networks in dockerd's key-value file. Each is one JSON
// object without others in it. The file may hold former versions of an object too;
// they say the same, since the maker of a network's bridge does not change. An ID
// about which two objects disagree is left out.
func parseBridges(data []byte) map[string]bool {
	made := map[string]bool{}
	disputed := map[string]bool{}
	for _, text := range regexp.MustCompile(`\{[^{}]*"BridgeIfaceCreator":[^{}]*\}`).FindAll(data, -1) {
		var n struct {
			ID                 string
			BridgeIfaceCreator int
		}
		if json.Unmarshal(text, &n) != nil || n.ID == "" {
			continue
		}
		is := n.BridgeIfaceCreator == createdByEngine
		if was, ok := made[n.ID]; ok && was != is {
			disputed[n.ID] = true
		}
		made[n.ID] = is
	}
	for id := range disputed {
		delete(made, id)
	}
	return made
}

// recordPrefix is what dockerd's store puts before each value: a counter.
const recordPrefix = 8

// forgetBridge removes dockerd's record of the network on the bridge name, whose
// address is about to change. dockerd, which must not run, would give the bridge
// the recorded address again; without a record it takes the one that it finds.
// Other networks keep theirs.
func forgetBridge(k kind, name string) (err error) {
	// The library panics at some damaged files.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("remove the bridge %s from dockerd's record of networks, which is damaged: %v", name, r)
		}
	}()
	path := filepath.Join(k.dataDir, "network", "files", "local-kv.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("open dockerd's record of networks %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			cursor := b.Cursor()
			for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
				var n struct{ BridgeName string }
				if len(value) <= recordPrefix || json.Unmarshal(value[recordPrefix:], &n) != nil || n.BridgeName != name {
					continue
				}
				if err := cursor.Delete(); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("remove the bridge %s from dockerd's record of networks: %w", name, err)
	}
	return nil
}

// removeBridges removes the interfaces of an engine that has stopped. dockerd
// makes those of its own networks again when it starts. A bridge that neither rdd
// nor its engine made stays.
func removeBridges(own []network) error {
	var failed []error
	for _, n := range own {
		if n.Foreign {
			continue
		}
		link, err := netlink.LinkByName(n.Bridge)
		if _, ok := errors.AsType[netlink.LinkNotFoundError](err); ok {
			continue
		}
		if err == nil && link.Type() != "bridge" {
			continue
		}
		if err == nil {
			err = netlink.LinkDel(link)
		}
		if err != nil && !strings.Contains(err.Error(), "no such device") {
			failed = append(failed, fmt.Errorf("remove the bridge %s: %w", n.Bridge, err))
		}
	}
	return errors.Join(failed...)
}
