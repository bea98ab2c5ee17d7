package logtail

import (
	"fmt"
	"io"
	"os"
)

// End returns the last limit bytes of the file at path, of which the first line
// may be half of one; all of a shorter file. What is written meanwhile is left
// out. The error for a file that is not there is an fs.ErrNotExist.
func End(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at log %s: %w", path, err)
	}
	length := min(info.Size(), limit)
	text, err := io.ReadAll(io.NewSectionReader(f, info.Size()-length, length))
	if err != nil {
		return nil, fmt.Errorf("read log %s: %w", path, err)
	}
	return text, nil
}
