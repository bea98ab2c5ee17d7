package tables

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// omitted stands for what is cut. It is ASCII, because kubectl aligns columns by bytes.
const omitted = ".."

// cutMiddle keeps the beginning and the end of a text.
func cutMiddle(text string, width int) string {
	if len(text) <= width {
		return text
	}
	if width <= len(omitted) {
		return head(text, width)
	}
	keep := width - len(omitted)
	return head(text, (keep+1)/2) + omitted + tail(text, keep/2)
}

// cutEnd keeps the beginning of a text.
func cutEnd(text string, width int) string {
	if len(text) <= width {
		return text
	}
	if width <= len(omitted) {
		return head(text, width)
	}
	return strings.TrimRight(head(text, width-len(omitted)), " ") + omitted
}

// head returns at most n bytes of the beginning, without half a character.
func head(text string, n int) string {
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// tail returns at most n bytes of the end, without half a character.
func tail(text string, n int) string {
	at := len(text) - n
	for at < len(text) && !utf8.RuneStart(text[at]) {
		at++
	}
	return text[at:]
}

// cutImage shortens the reference of an image: the digest goes first, then the registry,
// then the directories, and then the middle.
func cutImage(reference string, width int) string {
	name, _, _ := strings.Cut(reference, "@sha256:")
	host, rest, found := strings.Cut(name, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" {
		rest = name
	}
	for _, text := range []string{reference, name, rest} {
		if len(text) <= width {
			return text
		}
	}
	return cutMiddle(rest[strings.LastIndex(rest, "/")+1:], width)
}

// cutPorts drops host addresses first, and then ports at the end. It counts those.
func cutPorts(text string, width int) string {
	if len(text) <= width {
		return text
	}
	ports := strings.Split(text, ", ")
	for i, port := range ports {
		from, to, _ := strings.Cut(port, "->")
		ports[i] = from[strings.LastIndex(from, ":")+1:] + "->" + to
	}
	return cutList(ports, width)
}

// cutNames drops names at the end of a list, and counts them.
func cutNames(text string, width int) string {
	if len(text) <= width {
		return text
	}
	if strings.HasPrefix(text, deleting) {
		return cutEnd(text, width)
	}
	return cutList(strings.Split(text, ", "), width)
}

// cutList joins as many items as fit and counts the others, as in "web, db +3". One item
// always stays, and is cut.
func cutList(items []string, width int) string {
	for n := len(items); n > 1; n-- {
		text := strings.Join(items[:n], ", ") + more(len(items)-n)
		if len(text) <= width {
			return text
		}
	}
	count := more(len(items) - 1)
	return cutMiddle(items[0], max(1, width-len(count))) + count
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" +%d", n)
}

// cutStatus abbreviates the time in a status first, as in "Exited (0) 2h ago".
func cutStatus(text string, width int) string {
	if len(text) <= width {
		return text
	}
	for _, state := range []string{"Up ", "Exited ", "Restarting "} {
		if strings.HasPrefix(text, state) {
			text = strings.NewReplacer(" seconds", "s", " second", "s", " minutes", "m", " minute", "m", " hours", "h", " hour", "h",
				" days", "d", " weeks", "w", " months", "mo", " years", "y").Replace(text)
		}
	}
	return cutEnd(text, width)
}
