package ui

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// sessionFile is the file, of mode 0600, with the digests of the sessions and their last
// use. A digest opens no session.
type sessionFile struct{ path string }

func sessionFileIn(dir string) sessionFile {
	return sessionFile{filepath.Join(dir, filename.PageSessions)}
}

// RemoveSessions ends the sessions in the directory dir of an instance whose daemon does not
// run.
func RemoveSessions(dir string) error { return sessionFileIn(dir).remove() }

// savedSession is one entry of the file.
type savedSession struct {
	Digest string    `json:"digest"`
	Used   time.Time `json:"used"`
}

// load returns the last use of each session that has not ended.
func (f sessionFile) load() (map[digest]time.Time, error) {
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the sessions of the page: %w", err)
	}
	var saved []savedSession
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, fmt.Errorf("read the sessions of the page from %s: %w", f.path, err)
	}
	found := map[digest]time.Time{}
	for _, one := range saved {
		var d digest
		bytes, err := hex.DecodeString(one.Digest)
		age := time.Since(one.Used)
		if err != nil || len(bytes) != len(d) || age >= idleLimit || age < -idleLimit || len(found) == maxSessions {
			continue
		}
		copy(d[:], bytes)
		found[d] = one.Used
	}
	return found, nil
}

func (f sessionFile) save(used map[digest]time.Time) error {
	saved := make([]savedSession, 0, len(used))
	for d, at := range used {
		saved = append(saved, savedSession{hex.EncodeToString(d[:]), at})
	}
	text, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("encode the sessions of the page: %w", err)
	}
	if err := instance.ReplaceFile(f.path, append(text, '\n')); err != nil {
		return fmt.Errorf("save the sessions of the page: %w", err)
	}
	return nil
}

func (f sessionFile) remove() error {
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the saved sessions of the page: %w", err)
	}
	return nil
}
