package home

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// maxHost bounds the host's part of an identity, whose length is limited on the hub.
const maxHost = 40

// Identity distinguishes this instance from every other one, and also from a copy of it:
// a cloned machine has the same files, but another boot, and copied files have another
// inode. A daemon that restarts keeps its identity, and so its Lease. It begins with the
// name of the host, because administrators read it.
func Identity(inst instance.Instance) (string, error) {
	var stat unix.Stat_t
	if err := unix.Stat(inst.DataDir, &stat); err != nil {
		return "", fmt.Errorf("identify the directory %s: %w", inst.DataDir, err)
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("find the name of this host: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d\x00%s", process.BootID(), inst.Name, stat.Dev, stat.Ino, host))
	return host[:min(len(host), maxHost)] + "_" + hex.EncodeToString(sum[:8]), nil
}
