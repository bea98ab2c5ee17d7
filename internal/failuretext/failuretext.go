// Package failuretext formats what users read about a failed attempt that is retried. The
// daemon writes these texts into conditions, and the command line separates the reason
// from the progress again, to show each reason once.
package failuretext

import (
	"fmt"
	"strings"
	"time"
)

const (
	// previous begins the reason in a message about a retry in progress.
	previous = "previous error: "
	// retries begins the last line of a message about a failure.
	retries = "rdd retries at "
)

// Waiting returns the message of an attempt that failed and is retried at a time.
// attempt is the number of the next attempt, and ceiling the longest pause.
func Waiting(reason string, attempt int, retry time.Time, ceiling time.Duration) string {
	return fmt.Sprintf("%s\n%s%s (attempt %d), then with pauses of up to %s", reason, retries, retry.Format(time.TimeOnly), attempt, ceiling)
}

// Retrying returns the message of an attempt in progress, after another one failed.
func Retrying(progress string, attempt int, reason string) string {
	return fmt.Sprintf("%s (attempt %d)\n%s%s", progress, attempt, previous, reason)
}

// Split separates a message into what happens now and the reason of the last failure.
// A message of another origin has no reason.
func Split(message string) (now, reason string) {
	if first, rest, found := strings.Cut(message, "\n"); found && strings.HasPrefix(rest, previous) {
		return first, strings.TrimPrefix(rest, previous)
	}
	if i := strings.LastIndexByte(message, '\n'); i >= 0 && strings.HasPrefix(message[i+1:], retries) {
		return message[i+1:], message[:i]
	}
	return message, ""
}

// Short returns a message in one line: what happens now, and the first line of the
// reason.
func Short(message string) string {
	now, reason := Split(message)
	now, _, _ = strings.Cut(now, "\n")
	if reason == "" {
		return now
	}
	first, _, _ := strings.Cut(reason, "\n")
	return now + "; " + previous + first
}

// WithoutNumbers replaces each number in a text by 0. Two failures with the same cause
// differ in times, pids and addresses only.
func WithoutNumbers(text string) string {
	var b strings.Builder
	inNumber := false
	for _, r := range text {
		isDigit := '0' <= r && r <= '9'
		switch {
		case !isDigit:
			b.WriteRune(r)
		case !inNumber:
			b.WriteByte('0')
		}
		inNumber = isDigit
	}
	return b.String()
}
