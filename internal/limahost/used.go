package limahost

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// LastUsed returns when the VM's disk was last written. It is zero without a disk, and
// for a disk on which no engine was ever ready, since it has no data of the user. Without
// a readable record the disk counts as used.
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
