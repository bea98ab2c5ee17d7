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

// datastore runs SQLite's integrity check in one read transaction. It neither waits
// for the daemon nor blocks it.
func (e *examination) datastore(ctx context.Context) Result {
	path := filepath.Join(e.Instance.DataDir, datastore.FileName)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return skipped("the instance has no datastore yet")
	}
	if err != nil {
		return finding("fix the permissions of the directory", "%v", err)
	}
	problems, err := datastore.Integrity(ctx, path)
	switch {
	case err != nil && ctx.Err() != nil:
		return unchecked("%s is too large to check within the time limit", path)
	case err != nil:
		return finding(datastore.Remedy, "%v", err)
	case len(problems) > 0:
		return finding(datastore.Remedy, "%s is damaged: %s", path, strings.Join(problems, "; "))
	}
	size := resource.NewQuantity(info.Size()>>10<<10, resource.BinarySI)
	return ok("%s, %s, passes SQLite's integrity check", path, size)
}
