package console

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// Limit cuts a log of more than limit bytes to its last keep bytes, whose first line
// may be incomplete. It works in place, because the writer has the file open, and
// requires a writer that appends. Bytes that are written meanwhile may be lost, or
// precede the kept ones. A log that does not exist is no error.
func Limit(path string, limit, keep int64) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || info.Size() <= limit {
		return err
	}
	end, err := logtail.End(path, keep)
	if err != nil {
		return fmt.Errorf("cut the log of the guest's console: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("cut the log of the guest's console: %w", err)
	}
	_, err = f.Write(end)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cut the log of the guest's console: %w", err)
	}
	return nil
}
