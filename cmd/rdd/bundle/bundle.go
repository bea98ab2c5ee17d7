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

// MaxFile is how many bytes of one file or answer are kept.
const MaxFile = 50 << 20

// How long all may take, and one part of it. What is not there by then is left
// out; writing what is there must still fit into half a minute.
const (
	allTimeout  = 22 * time.Second
	partTimeout = 12 * time.Second
	askTimeout  = 5 * time.Second
)

// Subject is what the bundle is about.
type Subject struct {
	doctor.Patient

	// Environment of this program, as os.Environ gives it.
	Environment []string
}

// Write writes the bundle to out and returns its manifest. An error says that
// the archive is not whole; a part that is missing is no error.
func Write(ctx context.Context, s Subject, out io.Writer) (Manifest, error) {
	ctx, cancel := context.WithTimeout(ctx, allTimeout)
	defer cancel()
	scratch, err := os.MkdirTemp("", "rdd-support-")
	if err != nil {
		return Manifest{}, fmt.Errorf("make a directory for the bundle's parts: %w; set TMPDIR to a place with room", err)
	}
	defer func() { _ = filetree.Remove(scratch) }()
	// All parts are there before the first is written: a secret of one of them may
	// stand in another.
	sieve := newSieve()
	var parts []collected
	for _, made := range collectAll(ctx, s) {
		part := <-made
		if hasObjects(part.name) {
			part.text = sieve.sift(part.text)
		}
		parts = append(parts, part)
	}
	archive := newArchive(out, scratch, newRedactor(knownSecrets(s, sieve.secrets())), s)
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

// hasObjects reports whether a part is made of objects of the engine or resources,
// which a user fills with what he likes.
func hasObjects(name string) bool {
	switch name {
	case "resources/definitions.json", "resources/policies.json", "engine/version.json":
		return false
	}
	return strings.HasPrefix(name, "resources/") || strings.HasPrefix(name, "engine/")
}

// WriteFile writes the bundle to a file of mode 0600, which appears when it is
// whole.
func WriteFile(ctx context.Context, s Subject, path string) (manifest Manifest, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return manifest, fmt.Errorf("write the bundle: %w; name another place: 'rdd support-bundle FILE'", err)
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
		return manifest, fmt.Errorf("put the bundle in place: %w", err)
	}
	return manifest, nil
}

// Name is what a bundle is called when its user gives it no name.
func Name(instance string, now time.Time) string {
	return fmt.Sprintf("rdd-support-%s-%s.tar.gz", instance, now.UTC().Format("20060102T150405Z"))
}
