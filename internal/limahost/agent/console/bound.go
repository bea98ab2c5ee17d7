package console

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/logtail"
)

// Bound shortens a log of more than limit bytes to its last keep bytes, of which
// the first line may be half of one. It does so in place, because its writer has
// it open: only for a writer that appends. What is written meanwhile may be lost,
// or come before what was kept. A log that is not there is short.
func Bound(path string, limit, keep int64) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || info.Size() <= limit {
		return err
	}
	end, err := logtail.End(path, keep)
	if err != nil {
		return fmt.Errorf("shorten the console's log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("shorten the console's log: %w", err)
	}
	_, err = f.Write(end)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("shorten the console's log: %w", err)
	}
	return nil
}
