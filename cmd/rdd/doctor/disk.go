package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/api/resource"
)

// What must be free on a file system for rdd to go on: the datastore's log and
// its rewriting need some tens of megabytes, the engine's images much more.
const (
	minBytes  = 256 << 20
	minInodes = 1000
)

// disk looks whether there is room for data, logs and the VM, and whether it may
// be written to.
func (e *examination) disk(context.Context) Result {
	i := e.Instance
	var good, bad []string
	for _, dir := range []struct{ name, path string }{
		{"data", i.DataDir}, {"logs", i.LogDir}, {"sockets", i.ShortDir}, {"vm", i.LimaHome},
	} {
		if _, err := os.Stat(dir.path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		text, err := room(dir.path)
		if err != nil {
			bad = append(bad, dir.name+" in "+dir.path+": "+err.Error())
			continue
		}
		good = append(good, dir.name+": "+text)
	}
	switch {
	case len(bad) > 0:
		return finding("make room there, or mend the permissions; rdd goes on by itself then", "%s", strings.Join(bad, "; "))
	case len(good) == 0:
		return skipped("there is no instance yet")
	default:
		return ok("free for %s", strings.Join(good, ", "))
	}
}

// room says how much is free at path, or why it is not enough.
func room(path string) (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return "", err
	}
	if err := unix.Access(path, unix.W_OK); err != nil {
		return "", errors.New("it cannot be written to: " + err.Error())
	}
	bytes := int64(uint64(st.Bavail) * uint64(st.Bsize)) //nolint:gosec,unconvert // types differ between systems; no disk has 8 EiB
	text := resource.NewQuantity(bytes>>20<<20, resource.BinarySI).String()
	if bytes < minBytes {
		return "", errors.New("only " + text + " are free")
	}
	// Some file systems count no inodes.
	if st.Files > 0 && st.Ffree < minInodes {
		return "", errors.New("it has hardly an inode left")
	}
	return text, nil
}
