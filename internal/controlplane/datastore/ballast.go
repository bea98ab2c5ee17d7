package datastore

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ballastName is the file beside the datastore whose blocks are given back to a
// full disk, so that what frees space can still be written: the deletion of an
// object, the order to stop the engine.
const ballastName = "ballast"

// The ballast is given back in steps of about 40 writes, so that another process
// that fills the disk does not get all of it at once.
const (
	ballastSize = 8 << 20
	ballastStep = 512 << 10
)

// ballast is the file. Its methods may be called concurrently.
type ballast struct {
	path string
	size int64
	// full is whether the file has all of its size.
	full atomic.Bool
}

func newBallast(dir string) *ballast {
	return &ballast{path: filepath.Join(dir, ballastName), size: ballastSize}
}

// fill makes the file, or makes one anew that has been used. On a disk with too
// little room for it there is none, and no error.
func (b *ballast) fill() error {
	if b.full.Load() {
		return nil
	}
	if info, err := os.Stat(b.path); err == nil && info.Size() == b.size {
		b.full.Store(true)
		return nil
	}
	// Bytes that no file system can compress away.
	content := make([]byte, b.size)
	_, _ = rand.Read(content) // it never fails
	fresh := b.path + ".new"
	err := os.WriteFile(fresh, content, 0o600)
	if err == nil {
		err = os.Rename(fresh, b.path)
	}
	if err == nil {
		b.full.Store(true)
		return nil
	}
	err = errors.Join(err, os.Remove(fresh))
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return nil
	}
	return fmt.Errorf("set space aside for a full disk: %w", err)
}

// release gives a step of the file back, but not the last keep bytes, and reports
// whether there was one.
func (b *ballast) release(keep int64) bool {
	info, err := os.Stat(b.path)
	if err != nil || info.Size() <= keep {
		return false
	}
	b.full.Store(false)
	return os.Truncate(b.path, max(keep, info.Size()-ballastStep)) == nil
}

// isFull reports whether SQLite found no room for a write.
func isFull(err error) bool {
	failure, ok := errors.AsType[*sqlite.Error](err)
	return ok && failure.Code()&0xff == sqlite3.SQLITE_FULL
}

// appendWithBallast appends rows that the disk has no room for with room from the
// ballast, unless all of them are new objects: those can wait. The last half is
// for what frees space: status updates, as of a container that restarts in a
// loop, never use it up.
func (s *Store) appendWithBallast(rows []row, full error, again func([]row) error) error {
	keep := s.ballast.size
	for _, r := range rows {
		switch {
		case freesSpace(r):
			keep = 0
		case r.created != r.revision:
			keep = min(keep, s.ballast.size/2)
		}
	}
	for err := full; ; {
		if !isFull(err) || !s.ballast.release(keep) {
			return err
		}
		if err = again(rows); err == nil {
			return nil
		}
	}
}

// freesSpace reports whether a change deletes an object, belongs to a deletion
// that has begun, or is one of the App, which has the order to stop the engine.
func freesSpace(r row) bool {
	if r.value == nil {
		return true
	}
	if r.created == r.revision {
		return false
	}
	var object struct {
		Kind     string `json:"kind"`
		Metadata struct {
			DeletionTimestamp *string `json:"deletionTimestamp"`
		} `json:"metadata"`
	}
	err := json.Unmarshal(r.value, &object)
	return err == nil && (object.Kind == "App" || object.Metadata.DeletionTimestamp != nil)
}
