package native

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// hostLock is the lock that all instances on the machine take while they change
// what belongs to all of them: the firewall. dockerd fails to start when another
// one rebuilds the same chains at the same time.
const hostLock = "/run/lock/rdd-firewall.lock"

// hostLockDeadline is how long an instance waits for another one. A start holds
// the lock for about half a second.
const hostLockDeadline = 15 * time.Second

// lockHost takes the lock and returns what gives it back. It never fails: after
// the deadline, or where there is no such lock, things go on without it, since
// a stuck instance must not stop the others. A dockerd that is not rdd's does
// not take it either.
func (d *Driver) lockHost(ctx context.Context) (unlock func()) {
	nothing := func() {}
	f, err := os.OpenFile(hostLock, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		d.log.Debug("no lock for the firewall", "error", err)
		return nothing
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
		d.log.Warn("another instance holds the lock of the firewall; going on without it", "lock", hostLock, "error", err)
		_ = f.Close()
		return nothing
	}
}
