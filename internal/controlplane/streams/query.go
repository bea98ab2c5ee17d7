package streams

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// maxCommand is how many bytes a command and its arguments may have. Linux has a lower
// limit for some machines, and the engine reports it.
const maxCommand = 1 << 20

// query reads the parameters of a request. The first error is kept.
type query struct {
	values url.Values
	err    error
}

// newQuery returns the parameters of a request for a subresource. Clients of pods send
// some that mean nothing here.
func newQuery(values url.Values, subresource string) *query {
	q := &query{values: values}
	known := append(parameterNames(subresource), "container", "pretty", "timeout", "insecureSkipTLSVerifyBackend")
	for _, name := range sortedNames(values) {
		if !slices.Contains(known, name) {
			q.fail("parameter %q is unknown: use %s", name, strings.Join(known[:len(known)-4], ", "))
		}
	}
	return q
}

func sortedNames(values url.Values) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (q *query) fail(format string, args ...any) {
	if q.err == nil {
		q.err = invalid(format, args...)
	}
}

// one returns a parameter that may be given once.
func (q *query) one(name string) (value string, given bool) {
	values := q.values[name]
	if len(values) > 1 {
		q.fail("parameter %s is given %d times: give it once", name, len(values))
	}
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// flag returns a boolean. A name without a value is true.
func (q *query) flag(name string, without bool) bool {
	text, given := q.one(name)
	if !given {
		return without
	}
	if text == "" {
		return true
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		q.fail("parameter %s=%q is not a boolean: use true or false", name, text)
	}
	return value
}

// number returns a number, nil if it is not given.
func (q *query) number(name string, lowest int64) *int64 {
	text, given := q.one(name)
	if !given {
		return nil
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < lowest {
		q.fail("parameter %s=%q is wrong: use a whole number of %d or more", name, text, lowest)
		return nil
	}
	return &value
}

// logQuery is the query of a log.
type logQuery struct {
	engine.LogOptions
	// limit is the number of bytes to send; nil is all.
	limit *int64
}

func parseLog(values url.Values, now time.Time) (logQuery, error) {
	q := newQuery(values, logs)
	out := logQuery{LogOptions: engine.LogOptions{
		Follow: q.flag("follow", false), Timestamps: q.flag("timestamps", false), Tail: q.number("tailLines", 0),
	}}
	out.limit = q.number("limitBytes", 1)
	out.Stdout, out.Stderr = q.streams()
	out.Since = q.since(now)
	if q.flag("previous", false) {
		q.fail("parameter previous=true has no meaning here: the log of a container has all of its runs; use sinceTime")
	}
	return out, q.err
}

// streams returns which output is selected. Newer clients of pods spell the names with a
// capital.
func (q *query) streams() (stdout, stderr bool) {
	switch text, _ := q.one("stream"); strings.ToLower(text) {
	case "", "all":
		return true, true
	case "stdout":
		return true, false
	case "stderr":
		return false, true
	default:
		q.fail("parameter stream=%q is wrong: use stdout, stderr, or leave it out for both", text)
		return false, false
	}
}

func (q *query) since(now time.Time) time.Time {
	// A time of more than 100 years ago selects all.
	const longest = 100 * 365 * 24 * 3600
	seconds := q.number("sinceSeconds", 1)
	text, given := q.one("sinceTime")
	switch {
	case seconds != nil && given:
		q.fail("sinceSeconds and sinceTime cannot be combined: use one of them")
	case seconds != nil && *seconds < longest:
		return now.Add(-time.Duration(*seconds) * time.Second)
	case given:
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			q.fail("parameter sinceTime=%q is not a time: use RFC 3339, such as %s", text, now.UTC().Format(time.RFC3339))
		} else if at.Year() > now.Year()-100 {
			return at
		}
	}
	return time.Time{}
}

func parseStats(values url.Values) (once bool, err error) {
	q := newQuery(values, stats)
	once = !q.flag("stream", true)
	return once, q.err
}

// remoteQuery is the query of exec and attach.
type remoteQuery struct {
	stdin, stdout, stderr, tty bool
	command                    []string
}

func parseRemote(values url.Values, subresource string) (remoteQuery, error) {
	q := newQuery(values, subresource)
	out := remoteQuery{
		stdin: q.flag("stdin", false), stdout: q.flag("stdout", true), stderr: q.flag("stderr", true), tty: q.flag("tty", false),
		command: values["command"],
	}
	if !out.stdin && !out.stdout && !out.stderr {
		q.fail("at least one of stdin, stdout and stderr must be true")
	}
	if subresource == exec {
		q.checkCommand(out.command)
	}
	return out, q.err
}

func (q *query) checkCommand(command []string) {
	size := 0
	for _, word := range command {
		size += len(word) + 1
		if strings.ContainsRune(word, 0) {
			q.fail("parameter command has a zero byte: no program can receive it")
		}
	}
	switch {
	case len(command) == 0 || command[0] == "":
		q.fail("exec needs a command: add command=PROGRAM, and command=ARGUMENT for each argument")
	case size > maxCommand:
		q.fail("the command has %d bytes: use at most %d", size, maxCommand)
	}
}
