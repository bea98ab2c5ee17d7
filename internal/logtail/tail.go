// Package logtail reads the end of a log and follows it, also across a rotation.
package logtail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// poll is how often Follow polls a log.
const poll = 100 * time.Millisecond

// Tail copies the last n lines of the file at path to out, or all lines if n is
// negative. It returns the size up to which it read the file. It does nothing if there
// is no file.
func Tail(path string, n int, out io.Writer) (int64, error) {
	return Last(path, 0, n, out)
}

// Last is like Tail, but ignores the first offset bytes of the file.
func Last(path string, offset int64, n int, out io.Writer) (int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("open log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("stat log %s: %w", path, err)
	}
	if offset > info.Size() {
		offset = 0 // the log was rotated
	}
	from, err := startOf(f, info.Size(), n)
	from = max(from, offset)
	if err != nil {
		return 0, fmt.Errorf("read log %s: %w", path, err)
	}
	if _, err := io.Copy(out, io.NewSectionReader(f, from, info.Size()-from)); err != nil {
		return 0, fmt.Errorf("copy log %s: %w", path, err)
	}
	return info.Size(), nil
}

// startOf returns the offset at which the last n lines of the first size bytes start.
func startOf(f io.ReaderAt, size int64, n int) (int64, error) {
	if n < 0 {
		return 0, nil
	}
	if n == 0 {
		return size, nil
	}
	const chunk = 64 << 10
	buffer := make([]byte, chunk)
	// A line feed at the end of the file does not start a line.
	for end := size - 1; end > 0; {
		begin := max(0, end-chunk)
		part := buffer[:end-begin]
		if _, err := f.ReadAt(part, begin); err != nil {
			return 0, err
		}
		for {
			i := bytes.LastIndexByte(part, '\n')
			if i < 0 {
				break
			}
			if n--; n == 0 {
				return begin + int64(i) + 1, nil
			}
			part = part[:i]
		}
		end = begin
	}
	return 0, nil
}

// Follow copies the file at path, without its first offset bytes, and everything that
// is written to it until ctx ends. It waits for a missing file, and continues with the
// new file after a rotation.
func Follow(ctx context.Context, path string, offset int64, out io.Writer) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	var f *os.File
	defer func() {
		if f != nil {
			f.Close()
		}
	}()
	for {
		if f == nil {
			opened, err := openAt(path, offset)
			if err != nil {
				return err
			}
			f, offset = opened, 0
		}
		if f != nil {
			if _, err := io.Copy(out, f); err != nil {
				return fmt.Errorf("copy log %s: %w", path, err)
			}
			rotated, err := wasRotated(f, path)
			if err != nil {
				return err
			}
			if rotated {
				// Copy the lines that were written between the copy above and the rotation.
				_, err := io.Copy(out, f)
				if err = errors.Join(err, f.Close()); err != nil {
					return fmt.Errorf("copy the end of rotated log %s: %w", path, err)
				}
				f = nil
				continue
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func openAt(path string, offset int64) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// wasRotated reports whether path is another file than f by now, or is shorter than
// the position in f.
func wasRotated(f *os.File, path string) (bool, error) {
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("check log for a rotation: %w", err)
	}
	open, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("check log %s for a rotation: %w", path, err)
	}
	position, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return false, fmt.Errorf("check log %s for a rotation: %w", path, err)
	}
	return !os.SameFile(there, open) || there.Size() < position, nil
}
