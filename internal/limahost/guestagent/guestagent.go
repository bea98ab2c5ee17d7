// Package guestagent embeds Lima's guest agent in rdd. The agent runs in the VM, where it
// reports published ports and sets the clock. It is built from the version of Lima's
// module that rdd uses, because both ends of its protocol must have the same version.
//
// Reading map: guestagent.go unpacks the agent, build.sh builds it, embed_amd64.go and
// embed_arm64.go embed it.
package guestagent

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNotBuiltIn reports that this program was compiled without the guest agent.
var ErrNotBuiltIn = errors.New("this rdd was built without the guest agent: build it with 'make build'")

// Write unpacks the agent into dir, unless it exists there, and returns its path. It
// removes agents of other versions. The file has mode 0755 and about 60 MB.
func Write(dir string) (string, error) { return write(embedded, dir) }

func write(from fs.FS, dir string) (string, error) {
	packed, err := fs.Glob(from, "embedded/*/*.gz")
	if err != nil || len(packed) == 0 {
		return "", ErrNotBuiltIn
	}
	path := filepath.Join(dir, strings.TrimSuffix(filepath.Base(packed[0]), ".gz"))
	// A file under its final name is complete: it was renamed after a sync.
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the directory of the guest agent: %w", err)
	}
	if err := unpack(from, packed[0], path); err != nil {
		return "", fmt.Errorf("write the guest agent: %w", err)
	}
	return path, removeOthers(dir, filepath.Base(path))
}

func unpack(from fs.FS, packed, path string) error {
	f, err := from.Open(packed)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	plain, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".guestagent-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(out.Name()) }()
	_, err = io.Copy(out, plain) //nolint:gosec // The file is a part of this program.
	err = errors.Join(err, out.Chmod(0o755), out.Sync(), out.Close())
	if err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

func removeOthers(dir, keep string) error {
	others, err := filepath.Glob(filepath.Join(dir, "lima-guestagent-*"))
	if err != nil {
		return err
	}
	var failed []error
	for _, other := range others {
		if filepath.Base(other) != keep {
			failed = append(failed, os.Remove(other))
		}
	}
	return errors.Join(failed...)
}
