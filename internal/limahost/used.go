package limahost

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// LastUsed returns when the VM's disk was last put to use; zero when there is
// none, or one on which no engine was ever up, so that nothing of a user can be on
// it. A disk of which that is not known counts as used.
func LastUsed(p Paths) time.Time {
	if _, err := os.Lstat(p.Making()); !errors.Is(err, fs.ErrNotExist) {
		return time.Time{}
	}
	disk, err := os.Stat(p.Disk())
	if err != nil {
		return time.Time{}
	}
	var rec struct {
		Booted bool `json:"booted"`
	}
	if found, err := Load(p.Record(), &rec); found && err == nil && !rec.Booted {
		return time.Time{}
	}
	return disk.ModTime()
}
