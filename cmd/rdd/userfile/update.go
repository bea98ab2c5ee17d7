package userfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// maxEdits is how often Update edits a file that other programs change meanwhile.
const maxEdits = 10

// Update replaces the content of the file at path by what edit returns for it, as Replace
// does. A missing file has no content. If another program changes the file meanwhile,
// Update calls edit again. If edit changes nothing or fails, Update writes nothing.
func Update(path string, edit func(content []byte) ([]byte, error)) error {
	for range maxEdits {
		before, err := read(path)
		if err != nil {
			return err
		}
		after, err := edit(before)
		if err != nil || bytes.Equal(before, after) {
			return err
		}
		err = replace(path, after, func() error { return checkUnchanged(path, before) })
		if !errors.Is(err, errChanged) {
			return err
		}
	}
	return fmt.Errorf("other programs change %s all the time: retry when they have ended", path)
}

// errChanged reports that another program has changed a file since it was read.
var errChanged = errors.New("another program has changed the file")

func checkUnchanged(path string, before []byte) error {
	now, err := read(path)
	if err == nil && !bytes.Equal(before, now) {
		err = errChanged
	}
	return err
}

// read returns the content of a file; nil if the file is missing.
func read(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, err
}
