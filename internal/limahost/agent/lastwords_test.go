package agent

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

func TestLastWords(t *testing.T) {
	full := func(string, any) error { return errors.New("no space left on device") }
	for name, c := range map[string]struct {
		save  func(string, any) error
		error string
	}{
		"there is space":            {limahost.Save, "the VM ended"},
		"there is none":             {full, "the VM ended"},
		"there is none for so much": {full, strings.Repeat("\x00", lastWordsSize)},
	} {
		t.Run(name, func(t *testing.T) {
			p := limahost.Paths{LimaHome: t.TempDir()}
			if err := reserveLastWords(p); err != nil {
				t.Fatal(err)
			}
			said := limahost.End{PID: 7, At: time.Now(), Error: c.error, Note: "a note"}
			if err := saveLastWords(p, said, c.save); err != nil {
				t.Fatal(err)
			}
			end, found, err := limahost.LastEnd(p)
			if err != nil || !found || end.PID != 7 || end.Note != "a note" || !strings.HasPrefix(c.error, strings.TrimSuffix(end.Error, "…")) || end.Error == "" {
				t.Errorf("%+v, %v, %v", end, found, err)
			}
			if _, err := os.Stat(lastWordsFile(p)); err == nil {
				t.Error("the space is still set aside")
			}
		})
	}
	t.Run("no space was set aside", func(t *testing.T) {
		if err := saveLastWords(limahost.Paths{LimaHome: t.TempDir()}, limahost.End{}, full); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%v", err)
		}
	})
}
