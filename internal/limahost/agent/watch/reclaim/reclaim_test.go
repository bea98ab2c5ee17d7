package reclaim

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseReadingRefusesImpossible(t *testing.T) {
	want := reading{reportsMemory: true, cache: 2048, free: 4096 * 10}
	if got, ok := parseReading("rdd-use 1 2048 4096 10"); !ok || got != want {
		t.Errorf("reading %+v, %v; want %+v", got, ok, want)
	}
	for _, line := range []string{
		"", "hello", "rdd-use", "rdd-use 1 2048 4096", "rdd-use 1 2048 4096 10 11",
		"rdd-beat 1 2048 4096 10",
		"rdd-use 1 -2048 4096 10", "rdd-use 1 2048 4096 -10", "rdd-use 1 2048 4096 9223372036854775807",
		"rdd-use 1 9223372036854775807 4096 1", "rdd-use x 2048 4096 10",
	} {
		if r, ok := parseReading(line); ok {
			t.Errorf("%q: %+v", line, r)
		}
	}
}

// The script runs in a shell of this machine, where a fake sudo records the commands.
func TestScriptAnswersAndActs(t *testing.T) {
	if _, err := os.Stat("/proc/meminfo"); err != nil {
		t.Skip("needs /proc")
	}
	bin := t.TempDir()
	record := filepath.Join(bin, "record")
	if err := os.WriteFile(filepath.Join(bin, "sudo"), []byte("#!/bin/sh\nprintf '%s\\n' \"$*\" >>"+record+"\n"), 0o700); err != nil { //nolint:gosec // It is a program.
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "data=/missing"}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for _, do := range []action{actionRead, actionTrim, actionDrop} {
		r, err := ask(in, lines, do, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatalf("%s: %v", do, err)
		}
		if r.free == 0 {
			t.Errorf("%s: no free space in %+v", do, r)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the script does not end with its input: %v", err)
	}
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	want := "-n modprobe virtio_balloon\n-n fstrim -v /missing\n-n sh -c echo 1 >/proc/sys/vm/drop_caches; echo 1 >/proc/sys/vm/compact_memory\n"
	if string(text) != want {
		t.Errorf("commands %q, want %q", text, want)
	}
}

// fakeGuest answers each request with the next reading. It returns the requests after the
// last reading.
func fakeGuest(in io.Reader, out io.WriteCloser, readings []reading) (requests []string) {
	defer out.Close()
	lines := bufio.NewScanner(in)
	for _, r := range readings {
		if !lines.Scan() {
			break
		}
		requests = append(requests, lines.Text())
		fmt.Fprintf(out, "a line of a login script\nrdd-use 1 %d 1 %d\n", r.cache, r.free)
	}
	return requests
}

func TestFollowRequestsActionAtOnce(t *testing.T) {
	inRead, in := io.Pipe()
	out, outWrite := io.Pipe()
	requests := make(chan []string)
	go func() {
		requests <- fakeGuest(inRead, outWrite, []reading{{free: gib}, {free: 2 * gib}, {free: 2 * gib}, {free: 2 * gib}, {free: 2 * gib}})
		inRead.Close()
	}()
	ticks := make(chan time.Time)
	ended := make(chan error, 1)
	go func() { ended <- follow(t.Context(), shell{in, out, func() {}}, ticks, slog.New(slog.DiscardHandler)) }()
	for range 4 {
		ticks <- time.Time{}
	}
	if got, want := strings.Join(<-requests, " "), "read read read trim read"; got != want {
		t.Errorf("requests %q, want %q", got, want)
	}
	ticks <- time.Time{}
	if err := <-ended; err == nil {
		t.Error("a guest that ended its script is no error")
	}
}

func TestFollowEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := follow(ctx, shell{io.Discard, strings.NewReader(""), func() {}}, nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error of the context")
	}
}

// A guest that never answers, or answers something else, does not keep the agent busy.
func TestGuestWithoutAnswerEnds(t *testing.T) {
	tick := make(chan time.Time, 1)
	tick <- time.Time{}
	talks := shell{io.Discard, strings.NewReader(strings.Repeat("hello\n", 1000)), func() {}}
	if err := follow(t.Context(), talks, tick, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "without an answer") {
		t.Errorf("a guest that prints other lines: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		out, outWrite := io.Pipe()
		silent := shell{io.Discard, out, func() { outWrite.Close() }}
		tick := make(chan time.Time, 1)
		tick <- time.Time{}
		began := time.Now()
		if err := follow(t.Context(), silent, tick, slog.New(slog.DiscardHandler)); err == nil || time.Since(began) != actionTimeout {
			t.Errorf("a silent guest: %v after %v", err, time.Since(began))
		}
	})
}
