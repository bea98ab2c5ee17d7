package console

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "serial.log")
	if err := Bound(path, 100, 10); err != nil {
		t.Errorf("a log that is not there: %v", err)
	}
	// As QEMU has it open.
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
		if err := Bound(path, 100, 10); err != nil {
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
	// No hole is left where its writer was.
	write('c', 3)
	want("aaaaaaaaabccc")
}
