package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

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

// fillTimeout is how long a daemon that writes may keep a disk from being filled.
const fillTimeout = 10 * time.Second

// fill leaves no space on the disk: its size becomes what is used. A daemon that writes
// meanwhile may use more than was measured, so it is measured again after a failure.
func (d disk) fill(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	for {
		var s unix.Statfs_t
		if err := unix.Statfs(d.dir, &s); err != nil {
			return fmt.Errorf("read the size of the disk %s: %w", d.dir, err)
		}
		err := d.setSize(ctx, int64(s.Blocks-s.Bfree)*int64(s.Bsize)) //nolint:gosec,unconvert // types differ between systems; no disk has 8 EiB
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

func (d disk) end(ctx context.Context) error { return mount(ctx, "umount", "--lazy", d.dir) }

func mount(ctx context.Context, command ...string) error {
	if text, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // the commands above
		return fmt.Errorf("%v: %w: %s", command, err, text)
	}
	return nil
}

// fillDisk leaves the daemon without space for a while.
func (c *chaos) fillDisk(ctx context.Context, f fault) error {
	defer c.ledger.open(&c.ledger.outages)()
	err := errors.Join(c.disk.fill(ctx), rddtest.Sleep(ctx, f.lasts))
	return errors.Join(err, c.disk.setSize(context.WithoutCancel(ctx), diskSize))
}
