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

// engineBridges reports for each network, by its ID, whether dockerd made the
// bridge. A user can also create a network on an existing bridge. Only dockerd's
// record of networks has this fact; its API does not.
func engineBridges(k kind) map[string]bool {
	data, err := os.ReadFile(filepath.Join(k.dataDir, "network", "files", "local-kv.db"))
	if err != nil {
		return nil
	}
	return parseBridges(data)
}

// createdByEngine is ifaceCreatedByLibnetwork of dockerd's bridge driver; 2 stands
// for a bridge of the user.
const createdByEngine = 1

// parseBridges finds the networks in dockerd's key-value file. Each is one flat
// JSON object. The file may also hold former versions of an object. They agree,
// since the creator of a bridge never changes. IDs with conflicting objects are
// left out.
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
		byEngine := n.BridgeIfaceCreator == createdByEngine
		if former, ok := made[n.ID]; ok && former != byEngine {
			disputed[n.ID] = true
		}
		made[n.ID] = byEngine
	}
	for id := range disputed {
		delete(made, id)
	}
	return made
}

// recordPrefix is the length of the counter that dockerd's store puts before each
// value.
const recordPrefix = 8

// removeBridgeRecord removes dockerd's record of the network on the named bridge,
// whose address is about to change. With the record, dockerd would set the former
// address again. Records of other networks stay. dockerd must not run meanwhile.
func removeBridgeRecord(k kind, name string) (err error) {
	// The library panics on some damaged files.
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

// removeBridges removes the bridges of an engine that has stopped. dockerd creates
// them again when it starts. Bridges that neither rdd nor its engine made stay.
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
