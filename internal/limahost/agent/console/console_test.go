package console

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCleanRemovesControls(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing":               {"", nil},
		"empty lines":           {"\r\n\n  \n", nil},
		"carriage returns":      {"one\r\ntwo\r\n", []string{"one", "two"}},
		"overwritten":           {"  0%\r 50%\r100%\r\n", []string{"100%"}},
		"colours":               {"[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mssh\x1b[0m.\n", []string{"[  OK  ] Started ssh."}},
		"firmware":              {"\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS\n", []string{"SeaBIOS"}},
		"title of a window":     {"\x1b]0;root@x: ~\x07root@x:~#\n", []string{"root@x:~#"}},
		"other control letters": {"a\x00b\x07c\td\x7f\n", []string{"abc d"}},
		"no end of line":        {"half", []string{"half"}},
	} {
		if got := clean(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestTailAndPanicReadLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "serial.log")
	if got := Tail(path, 3); len(got) != 0 {
		t.Errorf("a missing log has lines: %q", got)
	}
	text := strings.Repeat("booting, booting, booting\n", 5000) +
		"[    9.1] Kernel panic - not syncing: Attempted to kill init!\r\n[    9.2] CPU: 0\r\n[    9.3] Rebooting in 1 seconds..\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{"[    9.2] CPU: 0", "[    9.3] Rebooting in 1 seconds.."}
	if got := Tail(path, 2); !slices.Equal(got, want) {
		t.Errorf("tail %q, want %q", got, want)
	}
	if got := Panic(path); got != "Kernel panic - not syncing: Attempted to kill init!" {
		t.Errorf("panic %q", got)
	}
	if err := Rotate(path); err != nil {
		t.Fatal(err)
	}
	if got := Panic(path); got != "" {
		t.Errorf("after a rotation the panic is %q", got)
	}
	if err := Rotate(path); err != nil {
		t.Errorf("rotate a missing log: %v", err)
	}
}
