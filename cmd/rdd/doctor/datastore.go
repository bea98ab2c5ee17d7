package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/datastore"
)

// datastore lets SQLite check its file, in one read transaction, which neither
// waits for the daemon nor holds it up.
func (e *examination) datastore(ctx context.Context) Result {
	path := filepath.Join(e.Instance.DataDir, datastore.FileName)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return skipped("there is none yet")
	}
	if err != nil {
		return finding("mend the permissions of the directory", "%v", err)
	}
	complaints, err := datastore.Integrity(ctx, path)
	switch {
	case err != nil && ctx.Err() != nil:
		return unchecked("%s is too large to be checked in the time there is", path)
	case err != nil:
		return finding(datastore.Remedy, "%v", err)
	case len(complaints) > 0:
		return finding(datastore.Remedy, "%s is damaged: %s", path, strings.Join(complaints, "; "))
	}
	size := resource.NewQuantity(info.Size()>>10<<10, resource.BinarySI)
	return ok("%s, %s, passes SQLite's integrity check", path, size)
}
