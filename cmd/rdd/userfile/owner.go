package userfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// CheckOwner returns an error if another user owns the file or directory at path. Root
// could change it, but its owner could not change it any more. This happens with 'sudo -E',
// which keeps HOME. If path does not exist, CheckOwner checks the directory in which it
// would be created: that one can also be root's, such as /tmp.
func CheckOwner(path string) error { return checkOwner(path, os.Geteuid()) }

func checkOwner(path string, user int) error {
	for existing := path; ; existing = filepath.Dir(existing) {
		info, err := os.Stat(existing)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(existing) != existing {
			continue
		}
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || int(stat.Uid) == user || existing != path && stat.Uid == 0 {
			return nil
		}
		return fmt.Errorf("%s belongs to user %d, and rdd runs as user %d: run rdd as user %[2]d, or set HOME to your own directory", existing, stat.Uid, user)
	}
}
