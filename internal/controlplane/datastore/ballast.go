package datastore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// The ballast is released in steps of about 40 writes, so that another process that
// fills the disk does not get all of it at once.
const (
	ballastSize = 8 << 20
	ballastStep = 512 << 10
)

// ballast is a file beside the datastore that reserves space. When the disk is full,
// its blocks are released for writes that free space: the deletion of an object, or
// running=false. Its methods may be called concurrently.
type ballast struct {
	path string
	size int64
	// full is set when the file has its full size, used when a part was released.
	full, used atomic.Bool
	// filling is held while the file is written.
	filling sync.Mutex
	// free returns the free space, in bytes, of the disk with a file.
	free func(path string) (int64, error)
}

func newBallast(dir string) *ballast {
	return &ballast{path: filepath.Join(dir, filename.Ballast), size: ballastSize, free: filetree.FreeSpace}
}

// fill creates the file, or recreates one that was used. A disk without enough space
// is not an error: there is no ballast then.
func (b *ballast) fill() error {
	b.filling.Lock()
	defer b.filling.Unlock()
	if b.full.Load() {
		return nil
	}
	info, err := os.Stat(b.path)
	if err == nil && info.Size() == b.size {
		b.full.Store(true)
		return nil
	}
	b.used.Store(err == nil)
	// Bytes that no file system can compress away.
	content := make([]byte, b.size)
	_, _ = rand.Read(content) // it never fails
	fresh := filepath.Join(filepath.Dir(b.path), filename.NewBallast)
	err = os.WriteFile(fresh, content, 0o600)
	if err == nil {
		err = os.Rename(fresh, b.path)
	}
	if err == nil {
		b.full.Store(true)
		b.used.Store(false)
		return nil
	}
	err = errors.Join(err, os.Remove(fresh))
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return nil
	}
	return fmt.Errorf("reserve space for a full disk in %s: %w", b.path, err)
}

// release releases one step of the file, but not its last keep bytes. It reports
// whether there was something to release.
func (b *ballast) release(keep int64) bool {
	info, err := os.Stat(b.path)
	if err != nil || info.Size() <= keep {
		return false
	}
	b.full.Store(false)
	b.used.Store(true)
	return os.Truncate(b.path, max(keep, info.Size()-ballastStep)) == nil
}

// isUsed reports whether a part of the ballast was released, and the disk still has no
// space to fill it again. New objects must wait then: they would use up what is released
// for deletions. A store in memory has no ballast.
func (b *ballast) isUsed() bool {
	if b == nil || !b.used.Load() {
		return false
	}
	// A new file beside the old one, and as much again for what is written next.
	if free, err := b.free(b.path); err == nil && free < 2*b.size {
		return true
	}
	return b.fill() != nil || b.used.Load()
}

// isFull reports whether SQLite failed to write because the disk is full.
func isFull(err error) bool {
	failure, ok := errors.AsType[*sqlite.Error](err)
	return ok && failure.Code()&0xff == sqlite3.SQLITE_FULL
}

// appendWithBallast retries an append that failed with full, with space from the
// write-ahead log and from the ballast. New objects get none: they can wait. Updates get the first half. The
// second half is reserved for changes that free space, so that the status updates of
// a container in a restart loop never use it up.
func (s *Store) appendWithBallast(rows []row, full error, retry func([]row) error) error {
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
		if !isFull(err) || !s.makeSpace(keep) {
			return err
		}
		if err = retry(rows); err == nil {
			return nil
		}
	}
}

// makeSpace frees space for one write. It empties a large write-ahead log, with as much
// of the ballast as the file needs for that: the file grows by less than the log, which
// has each changed page again. A small log is not worth it, and a reader can prevent it.
func (s *Store) makeSpace(keep int64) bool {
	for {
		size, err := s.log.walSize()
		if err != nil || size < shrinkFrom {
			return s.ballast.release(keep)
		}
		emptied, err := s.log.checkpoint(context.Background(), true)
		if err == nil && emptied {
			return true
		}
		if released := s.ballast.release(keep); !released || !isFull(err) {
			return released
		}
	}
}

// freesSpace reports whether a change deletes an object, updates an object that is
// being deleted, or updates the App, which may stop the engine.
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
