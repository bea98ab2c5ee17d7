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

// lastWordsSize is what is set aside on the disk for an agent's last words, in
// bytes: an error with the console's last lines is some kilobytes. longestWords
// is what fits in of each of the texts, which JSON may make six times as long.
const (
	lastWordsSize = 32 << 10
	longestWords  = 2 << 10
)

// lastWordsFile has the space for the last words. It is there while an agent
// lives: a full disk is a good reason to end, and no reason not to be told.
func lastWordsFile(p limahost.Paths) string { return p.End() + ".reserve" }

// reserveLastWords sets the space aside. What follows JSON as blanks is still JSON.
func reserveLastWords(p limahost.Paths) error {
	if err := os.WriteFile(lastWordsFile(p), []byte(strings.Repeat(" ", lastWordsSize)), 0o600); err != nil {
		return fmt.Errorf("set space aside for the host agent's last words: %w", err)
	}
	return nil
}

// saveLastWords writes how the agent ended, in the space that was set aside if
// there is no other. save is limahost.Save.
func saveLastWords(p limahost.Paths, end limahost.End, save func(string, any) error) error {
	failed := save(p.End(), end)
	if failed == nil {
		if err := os.Remove(lastWordsFile(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what was set aside for the host agent's last words: %w", err)
		}
		return nil
	}
	text, err := json.Marshal(end)
	if err == nil && len(text) > lastWordsSize {
		end.Error, end.Note = shorten(end.Error), shorten(end.Note)
		text, err = json.Marshal(end)
	}
	if err != nil {
		return errors.Join(failed, err)
	}
	f, err := os.OpenFile(lastWordsFile(p), os.O_WRONLY, 0)
	if err != nil {
		return errors.Join(failed, err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(failed, err)
	}
	if err := os.Rename(lastWordsFile(p), p.End()); err != nil {
		return errors.Join(failed, err)
	}
	return nil
}

// shorten keeps the beginning of a text that is too long.
func shorten(text string) string {
	if len(text) <= longestWords {
		return text
	}
	return text[:longestWords] + "…"
}
