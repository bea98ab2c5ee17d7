package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/api/resource"
)

// What must be free on a file system. The datastore needs some tens of megabytes to
// grow and to compact; images need much more.
const (
	minBytes  = 256 << 20
	minInodes = 1000
)

// disk checks that the directories for data, logs, sockets and the VM are writable
// and have free space.
func (e *examination) disk(context.Context) Result {
	i := e.Instance
	var good, bad []string
	for _, dir := range []struct{ name, path string }{
		{"data", i.DataDir}, {"logs", i.LogDir}, {"sockets", i.ShortDir}, {"vm", i.LimaHome},
	} {
		if _, err := os.Stat(dir.path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		text, err := freeSpace(dir.path)
		if err != nil {
			bad = append(bad, dir.name+" in "+dir.path+": "+err.Error())
			continue
		}
		good = append(good, dir.name+": "+text)
	}
	switch {
	case len(bad) > 0:
		return finding("free space or fix the permissions; then rdd recovers", "%s", strings.Join(bad, "; "))
	case len(good) == 0:
		return skipped("the instance does not exist")
	default:
		return ok("free for %s", strings.Join(good, ", "))
	}
}

// freeSpace returns how much is free at path, or an error if that is not enough.
func freeSpace(path string) (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return "", err
	}
	if err := unix.Access(path, unix.W_OK); err != nil {
		return "", fmt.Errorf("not writable: %w", err)
	}
	bytes := int64(uint64(st.Bavail) * uint64(st.Bsize)) //nolint:gosec,unconvert // types differ between systems; no disk has 8 EiB
	text := resource.NewQuantity(bytes>>20<<20, resource.BinarySI).String()
	if bytes < minBytes {
		return "", errors.New("only " + text + " free")
	}
	// Some file systems count no inodes.
	if st.Files > 0 && st.Ffree < minInodes {
		return "", fmt.Errorf("only %d inodes free", st.Ffree)
	}
	return text, nil
}
