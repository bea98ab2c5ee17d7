package logtail

import (
	"fmt"
	"io"
	"os"
)

// End returns the last limit bytes of the file at path, or all of a shorter file. The
// first line may be incomplete. Bytes that are written during the call are left out.
// The error for a missing file wraps fs.ErrNotExist.
func End(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat log %s: %w", path, err)
	}
	length := min(info.Size(), limit)
	text, err := io.ReadAll(io.NewSectionReader(f, info.Size()-length, length))
	if err != nil {
		return nil, fmt.Errorf("read log %s: %w", path, err)
	}
	return text, nil
}
