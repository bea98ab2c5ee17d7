package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// diskSize is enough for what 'rdd doctor' wants to be free.
const diskSize = 512 << 20

// disk is the file system of the daemon's home directory, in memory.
type disk struct{ dir string }

// newDisk mounts a disk at a new directory. The caller must call end.
func newDisk(ctx context.Context, dir string) (disk, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return disk{}, fmt.Errorf("create a directory for a disk: %w", err)
	}
	return disk{dir}, mount(ctx, "mount", "-t", "tmpfs", "-o", fmt.Sprint("size=", diskSize), "none", dir)
}

// setSize changes the size of the disk, in bytes.
func (d disk) setSize(ctx context.Context, size int64) error {
	return mount(ctx, "mount", "-o", fmt.Sprint("remount,size=", size), d.dir)
}

// fill leaves no space on the disk: its size becomes what is used.
func (d disk) fill(ctx context.Context) error {
	var s unix.Statfs_t
	if err := unix.Statfs(d.dir, &s); err != nil {
		return fmt.Errorf("read the size of the disk %s: %w", d.dir, err)
	}
	return d.setSize(ctx, int64(s.Blocks-s.Bfree)*int64(s.Bsize)) //nolint:gosec,unconvert // types differ between systems; no disk has 8 EiB
}

func (d disk) end(ctx context.Context) error { return mount(ctx, "umount", "--lazy", d.dir) }

func mount(ctx context.Context, command ...string) error {
	if text, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // the commands above
		return fmt.Errorf("%v: %w: %s", command, err, text)
	}
	return nil
}

// fillDisk leaves the daemon without space for a while. A daemon that writes meanwhile
// may use more than was measured, so a second attempt follows.
func (c *chaos) fillDisk(ctx context.Context, f fault) error {
	defer c.ledger.open(&c.ledger.outages)()
	err := c.disk.fill(ctx)
	if err != nil {
		err = c.disk.fill(ctx)
	}
	err = errors.Join(err, rddtest.Sleep(ctx, f.lasts))
	return errors.Join(err, c.disk.setSize(context.WithoutCancel(ctx), diskSize))
}
