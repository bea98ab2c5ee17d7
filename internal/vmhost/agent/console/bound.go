package console

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Bound shortens a log of more than limit bytes to its last keep bytes, of which
// the first line may be half of one. It does so in place, because its writer has
// it open: only for a writer that appends. What is written meanwhile may be lost,
// or come before what was kept. A log that is not there is short.
func Bound(path string, limit, keep int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("shorten the console's log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() <= limit {
		return err
	}
	tail := make([]byte, keep)
	n, err := f.ReadAt(tail, max(0, info.Size()-keep))
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("shorten the console's log: %w", err)
	}
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("shorten the console's log: %w", err)
	}
	if _, err := f.Write(tail[:n]); err != nil {
		return fmt.Errorf("shorten the console's log: %w", err)
	}
	return nil
}
