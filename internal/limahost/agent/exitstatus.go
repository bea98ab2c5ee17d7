package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

const (
	// reservedSize is the space in bytes that is reserved for the exit status: an
	// error with the console's last lines has some kilobytes.
	reservedSize = 32 << 10
	// maxTextSize is the part of each text that fits into the reserved space, since
	// JSON may multiply its size by six.
	maxTextSize = 2 << 10
)

// reservedFile holds the space for the exit status while an agent runs. An agent
// that exits because the disk is full can still report that.
func reservedFile(p limahost.Paths) string { return p.ExitStatus() + ".reserve" }

// reserveExitStatus reserves the space. It is filled with blanks, because blanks
// after a JSON value are valid JSON.
func reserveExitStatus(p limahost.Paths) error {
	if err := os.WriteFile(reservedFile(p), []byte(strings.Repeat(" ", reservedSize)), 0o600); err != nil {
		return fmt.Errorf("reserve space for the host agent's exit status: %w", err)
	}
	return nil
}

// saveExitStatus saves how the agent exited. It uses the reserved space if there is
// no other. save is limahost.Save.
func saveExitStatus(p limahost.Paths, status limahost.ExitStatus, save func(string, any) error) error {
	failed := save(p.ExitStatus(), status)
	if failed == nil {
		if err := os.Remove(reservedFile(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the space that was reserved for the host agent's exit status: %w", err)
		}
		return nil
	}
	text, err := json.Marshal(status)
	if err == nil && len(text) > reservedSize {
		status.Error, status.Note = shorten(status.Error), shorten(status.Note)
		text, err = json.Marshal(status)
	}
	if err != nil {
		return errors.Join(failed, err)
	}
	f, err := os.OpenFile(reservedFile(p), os.O_WRONLY, 0)
	if err != nil {
		return errors.Join(failed, err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(failed, err)
	}
	if err := os.Rename(reservedFile(p), p.ExitStatus()); err != nil {
		return errors.Join(failed, err)
	}
	return nil
}

// shorten returns the beginning of a text that is too long.
func shorten(text string) string {
	if len(text) <= maxTextSize {
		return text
	}
	return text[:maxTextSize] + "…"
}
