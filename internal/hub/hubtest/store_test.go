package hubtest

import (
	"errors"
	"strings"
	"testing"
)

// Clusters that share a datastore have keys of their own, and no data that could be copied.
func TestClustersShareForeignDatastore(t *testing.T) {
	t.Setenv(storeVariable, "unix:///tmp/kine.sock")
	one, other := selectDatastore(), selectDatastore()
	flags := strings.Join(one.flags(), " ")
	if !one.isForeign() || !strings.Contains(flags, "--etcd-servers=unix:///tmp/kine.sock") || !strings.Contains(flags, "--etcd-prefix=/hub-") || one.prefix == other.prefix {
		t.Errorf("the flags are %s, and those of another cluster %v", flags, other.flags())
	}
	c := &Cluster{store: one}
	if _, err := c.Backup(t.Context()); !errors.Is(err, errForeignData) {
		t.Errorf("a backup: %v", err)
	}
	if err := c.Restore(t.Context(), t.TempDir()); !errors.Is(err, errForeignData) {
		t.Errorf("a restoration: %v", err)
	}
	t.Setenv(storeVariable, "")
	if own := selectDatastore(); own.isForeign() {
		t.Errorf("without %s, the datastore is %+v", storeVariable, own)
	}
}
