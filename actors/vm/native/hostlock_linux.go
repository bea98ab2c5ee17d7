package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// hostLockDir is the directory of the lock that every instance on the machine takes
// while it changes the firewall. dockerd fails to start when another dockerd
// rebuilds the same chains at the same time. Only root can enter the directory, so
// that no other user can hold the lock.
const hostLockDir = "/run/rdd"

// hostLockName is the name of the lock in its directory.
const hostLockName = "firewall.lock"

// hostLockDeadline is how long an instance waits for another one. A start holds
// the lock for about half a second.
const hostLockDeadline = 15 * time.Second

// lockHost takes the lock and returns a function that releases it. It never fails,
// since a stuck instance must not block the others: after the deadline, and when
// the lock cannot be opened, the caller continues without it. Third-party dockerds
// do not take the lock either. A rootless engine has its own firewall and needs no
// lock.
func (d *Driver) lockHost(ctx context.Context) (unlock func()) {
	noUnlock := func() {}
	if rootless() {
		return noUnlock
	}
	f, err := openLock(hostLockDir, hostLockName)
	if err != nil {
		d.log.Warn("cannot open the lock of the firewall; continuing without it", "error", err)
		return noUnlock
	}
	ctx, cancel := context.WithTimeout(ctx, hostLockDeadline)
	defer cancel()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }
		}
		select {
		case <-ticker.C:
			if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
				continue
			}
		case <-ctx.Done():
		}
		d.log.Warn("another instance holds the lock of the firewall; continuing without it", "lock", f.Name(), "error", err)
		_ = f.Close()
		return noUnlock
	}
}

// openLock opens the file to lock, in a directory that only this user can enter. It
// makes both if they are missing. It fails if either is a link, has another owner,
// or is open to other users.
func openLock(dir, name string) (*os.File, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("make the directory of the lock: %w", err)
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the directory of the lock, %s: %w", dir, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := checkLockFile(fd, dir, unix.S_IFDIR); err != nil {
		return nil, err
	}
	path := dir + "/" + name
	file, err := unix.Openat(fd, name, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock %s: %w", path, err)
	}
	if err := checkLockFile(file, path, unix.S_IFREG); err != nil {
		return nil, errors.Join(err, unix.Close(file))
	}
	return os.NewFile(uintptr(file), path), nil
}

// checkLockFile fails unless an open file has this kind, and only this user may use
// it.
func checkLockFile(fd int, path string, kind uint32) error {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return fmt.Errorf("inspect %s: %w", path, err)
	}
	if stat.Mode&unix.S_IFMT != kind || int(stat.Uid) != os.Geteuid() || stat.Mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %o and belongs to user %d, so another user could hold the lock: remove %s, and rdd recreates it", path, stat.Mode, stat.Uid, path)
	}
	return nil
}
