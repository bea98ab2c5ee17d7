package instance

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// ReplaceFile replaces the file at path by one of mode 0600, atomically: readers see
// the old content or the new one, even after a power cut. The new one is on the disk when
// ReplaceFile returns.
func ReplaceFile(path string, content []byte) error {
	fresh, err := writeBeside(path, content)
	if err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return SyncDirectory(filepath.Dir(path))
}

// writeBeside writes content to a new file beside path, and returns its path.
func writeBeside(path string, content []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// SyncDirectory returns when the names of the files in a directory are on the disk. A file
// system that cannot do this is no error.
func SyncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}
