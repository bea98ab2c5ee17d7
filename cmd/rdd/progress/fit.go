package progress

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
)

// minText is how many columns of a text are worth showing before its counts.
const minText = 12

// countPattern matches one count, such as "containers 3/20".
var countPattern = regexp.MustCompile(`^(?:.+ )?(\d+)/(\d+)$`)

// attemptPattern matches the number of an attempt at the end of a text.
var attemptPattern = regexp.MustCompile(` \(attempt \d+\)$`)

// fit returns a line, at most columns wide, with a text and its times. It cuts words
// of the text. The counts and the attempt at its end, and the times, stay: if there is no
// room for all counts, it leaves out those that are complete, and then shows their sum.
func fit(text, times string, columns int) string {
	text = terminal.Line(text)
	if attempt := attemptPattern.FindString(text); attempt != "" {
		text, times = strings.TrimSuffix(text, attempt), attempt+times
	}
	room := columns - terminal.Width(times)
	if terminal.Width(text) <= room {
		return text + times
	}
	head, counts := splitCounts(text)
	if len(counts) == 0 {
		return terminal.Cut(terminal.Cut(text, room)+times, columns)
	}
	all, incomplete, sum := shorten(counts)
	for _, shown := range []string{all, incomplete} {
		if left := room - terminal.Width(shown) - len(": "); left >= minText {
			return terminal.Cut(head, left) + ": " + shown + times
		}
	}
	if left := room - len(sum) - len(": "); left > 1 {
		return terminal.Cut(head, left) + ": " + sum + times
	}
	return terminal.Cut(sum+times, columns)
}

// splitCounts separates the counts at the end of a text. There are none if the text does
// not end with counts.
func splitCounts(text string) (head string, counts []string) {
	i := strings.LastIndex(text, ": ")
	if i < 0 {
		return text, nil
	}
	counts = strings.Split(text[i+len(": "):], ", ")
	for _, count := range counts {
		if !countPattern.MatchString(count) {
			return text, nil
		}
	}
	return text[:i], counts
}

// shorten returns all counts, those that are incomplete, and their sum.
func shorten(counts []string) (all, incomplete, sum string) {
	var open []string
	done, total := 0, 0
	for _, count := range counts {
		parts := countPattern.FindStringSubmatch(count)
		if parts[1] != parts[2] {
			open = append(open, count)
		}
		for i, number := range []*int{&done, &total} {
			n, _ := strconv.Atoi(parts[i+1]) // it has only digits
			*number += n
		}
	}
	all = strings.Join(counts, ", ")
	if incomplete = all; len(open) > 0 {
		incomplete = strings.Join(open, ", ")
	}
	return all, incomplete, fmt.Sprintf("%d/%d", done, total)
}
