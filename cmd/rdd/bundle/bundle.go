package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/doctor"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// MaxFile is the maximum size of a file in the bundle, in bytes.
const MaxFile = 50 << 20

// How long collecting, one part, and one request can take. The rest of half a minute
// is for writing the archive.
const (
	allTimeout     = 22 * time.Second
	partTimeout    = 12 * time.Second
	requestTimeout = 5 * time.Second
)

// Subject is the instance that the bundle describes.
type Subject struct {
	doctor.Target

	// Environment is the environment of this program, as from os.Environ.
	Environment []string
}

// Write writes the bundle to out and returns its manifest. It returns an error if
// the archive is incomplete; a missing part is not an error.
func Write(ctx context.Context, s Subject, out io.Writer) (Manifest, error) {
	ctx, cancel := context.WithTimeout(ctx, allTimeout)
	defer cancel()
	scratch, err := os.MkdirTemp("", "rdd-support-")
	if err != nil {
		return Manifest{}, fmt.Errorf("create a directory for the bundle's parts: %w: set TMPDIR to a directory with free space", err)
	}
	defer func() { _ = filetree.Remove(scratch) }()
	// All parts are collected before the first is written, because a secret that one
	// of them reveals can also be in another.
	filter := newObjectFilter()
	var parts []collected
	for _, made := range collectAll(ctx, s) {
		part := <-made
		if hasObjects(part.name) {
			part.text = filter.apply(part.text)
		}
		parts = append(parts, part)
	}
	archive := newArchive(out, scratch, newRedactor(knownSecrets(s, filter.secrets())), s)
	errs := []error{}
	for _, part := range parts {
		errs = append(errs, archive.text(part))
	}
	for _, file := range s.files() {
		errs = append(errs, archive.file(ctx, file))
	}
	errs = append(errs, archive.close())
	if err := errors.Join(errs...); err != nil {
		return archive.manifest, fmt.Errorf("write the bundle: %w", err)
	}
	return archive.manifest, nil
}

// hasObjects reports whether a part consists of engine objects or resources, whose
// text users choose.
func hasObjects(name string) bool {
	switch name {
	case "resources/definitions.json", "resources/policies.json", "engine/version.json":
		return false
	}
	return strings.HasPrefix(name, "resources/") || strings.HasPrefix(name, "engine/")
}

// WriteFile writes the bundle to a file of mode 0600. The file appears when it is
// complete.
func WriteFile(ctx context.Context, s Subject, path string) (manifest Manifest, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return manifest, fmt.Errorf("write the bundle: %w: choose another file with 'rdd support-bundle FILE'", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	manifest, err = Write(ctx, s, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return manifest, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return manifest, fmt.Errorf("rename the bundle: %w", err)
	}
	return manifest, nil
}

// Name returns the default file name of a bundle.
func Name(instance string, now time.Time) string {
	return fmt.Sprintf("rdd-support-%s-%s.tar.gz", instance, now.UTC().Format("20060102T150405Z"))
}
