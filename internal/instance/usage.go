package instance

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// Usage returns the space of the files that Remove removes. If ctx ends first, the
// result is partial.
func (i Instance) Usage(ctx context.Context) filetree.Usage { return usage(ctx, i.allPlaces()) }

// DataUsage returns the space of the files that RemoveData removes. If ctx ends first,
// the result is partial.
func (i Instance) DataUsage(ctx context.Context) filetree.Usage { return usage(ctx, i.dataPlaces()) }

func usage(ctx context.Context, places []Place) filetree.Usage {
	var u filetree.Usage
	for _, p := range places {
		_, shared, err := p.isShared()
		switch {
		case err != nil:
			u.Partial = true
		case !shared:
			u.Add(ctx, p.path)
		case p.isOwned():
			p.addShared(ctx, &u)
		}
	}
	return u
}

// addShared adds rdd's files in a shared place.
func (p Place) addShared(ctx context.Context, u *filetree.Usage) {
	entries, err := os.ReadDir(p.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		u.Partial = true
	}
	target := filetree.Resolve(p.path)
	for _, entry := range entries {
		if p.matches(entry.Name()) {
			u.Add(ctx, filepath.Join(target, entry.Name()))
		}
	}
}
