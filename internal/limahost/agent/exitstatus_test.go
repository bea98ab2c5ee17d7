package agent

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

func TestExitStatusSavedOnFullDisk(t *testing.T) {
	full := func(string, any) error { return errors.New("no space left on device") }
	for name, c := range map[string]struct {
		save  func(string, any) error
		error string
	}{
		"there is space":      {limahost.Save, "the VM ended"},
		"there is none":       {full, "the VM ended"},
		"there is too little": {full, strings.Repeat("\x00", reservedSize)},
	} {
		t.Run(name, func(t *testing.T) {
			p := limahost.Paths{LimaHome: t.TempDir()}
			if err := reserveExitStatus(p); err != nil {
				t.Fatal(err)
			}
			saved := limahost.ExitStatus{PID: 7, At: time.Now(), Error: c.error, Note: "a note"}
			if err := saveExitStatus(p, saved, c.save); err != nil {
				t.Fatal(err)
			}
			exit, found, err := limahost.LastExit(p)
			if err != nil || !found || exit.PID != 7 || exit.Note != "a note" || !strings.HasPrefix(c.error, strings.TrimSuffix(exit.Error, "…")) || exit.Error == "" {
				t.Errorf("%+v, %v, %v", exit, found, err)
			}
			if _, err := os.Stat(reservedFile(p)); err == nil {
				t.Error("the reserved space still exists")
			}
		})
	}
	t.Run("no space was reserved", func(t *testing.T) {
		if err := saveExitStatus(limahost.Paths{LimaHome: t.TempDir()}, limahost.ExitStatus{}, full); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%v", err)
		}
	})
}
