package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// FuzzCommandLine parses random command lines. Every error must be a *kong.ParseError,
// which has an exit code of its own.
func FuzzCommandLine(f *testing.F) {
	for _, seed := range []string{
		"svc start --port 99999", "set running=true --timeout=-1s", "--instance= ctl get -o", "set --help", "svc paths -o=json x", "ctl -- --",
		"hostagent", "-", "--", "--timeout=1e99h set", "service logs --tail=-9",
	} {
		f.Add(strings.ReplaceAll(seed, " ", "\x00"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		var commands cli
		parser, err := kong.New(&commands, kong.Name("rdd"), kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
		if err != nil {
			t.Fatal(err)
		}
		var usage *kong.ParseError
		if _, err := parser.Parse(strings.Split(line, "\x00")); err != nil && !errors.As(err, &usage) {
			t.Fatalf("%q: %T %v", line, err, err)
		}
	})
}
