package console

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestLimitKeepsEndOfLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "serial.log")
	if err := Limit(path, 100, 10); err != nil {
		t.Errorf("a log that does not exist: %v", err)
	}
	// The log as QEMU has it open.
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	write := func(b byte, n int) {
		t.Helper()
		if _, err := log.Write(bytes.Repeat([]byte{b}, n)); err != nil {
			t.Fatal(err)
		}
		if err := Limit(path, 100, 10); err != nil {
			t.Fatal(err)
		}
	}
	want := func(text string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q, %v, want %q", got, err, text)
		}
	}
	write('a', 100)
	want(string(bytes.Repeat([]byte("a"), 100)))
	write('b', 1)
	want("aaaaaaaaab")
	// The writer leaves no hole at its old offset.
	write('c', 3)
	want("aaaaaaaaabccc")
}
