package hubtest

import (
	"context"
	"fmt"
	"os"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// dataDir is etcd's directory in that of a cluster.
const dataDir = "etcd"

// Backup copies the data, and returns the directory of the copy. etcd is down
// meanwhile. The API server keeps running if it runs, and is ready when Backup returns.
func (c *Cluster) Backup(ctx context.Context) (dir string, err error) {
	if c.store.isForeign() {
		return "", errForeignData
	}
	if dir, err = os.MkdirTemp(c.dir, "backup"); err != nil {
		return "", fmt.Errorf("create a directory for a backup: %w", err)
	}
	stopped := !c.apiServer.isRunning()
	c.etcd.kill()
	if err := os.CopyFS(dir, os.DirFS(c.path(dataDir))); err != nil {
		return "", fmt.Errorf("back up the data of the hub: %w", err)
	}
	if stopped {
		return dir, nil
	}
	return dir, c.Up(ctx)
}

// Restore replaces the data by a backup and restarts all programs, as an administrator
// does after a disaster. Resource versions return to those of the backup. An empty
// directory makes the hub a new cluster at the same address.
func (c *Cluster) Restore(ctx context.Context, dir string) error {
	if c.store.isForeign() {
		return errForeignData
	}
	c.Kill()
	data := c.path(dataDir)
	if err := filetree.Remove(data); err != nil {
		return fmt.Errorf("remove the data of the hub: %w", err)
	}
	if err := os.Mkdir(data, 0o700); err != nil { // etcd warns of another mode
		return fmt.Errorf("create the directory of the hub's data: %w", err)
	}
	if err := os.CopyFS(data, os.DirFS(dir)); err != nil {
		return fmt.Errorf("restore the data of the hub from %s: %w", dir, err)
	}
	return c.Up(ctx)
}
