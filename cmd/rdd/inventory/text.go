package inventory

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// Lines describes the inventory, one line for each kind, of at most 76 characters or so.
func (h Contents) Lines() []string {
	var lines []string
	isKnown := true
	for _, s := range h.Stores {
		lines = append(lines, s.lines()...)
		isKnown = isKnown && len(s.Unread) == 0
	}
	if len(lines) == 0 && isKnown {
		lines = []string{"no containers, volumes or images"}
	}
	return append(lines, Size(h.Usage)+" on the disk")
}

// Size describes a space on the disk, such as "1.9 GiB".
func Size(u filetree.Usage) string {
	text := limahost.FormatBytes(u.Bytes)
	if u.Partial {
		text = "more than " + text
	}
	return text
}

func (s Store) lines() []string {
	var lines []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			lines = append(lines, listed(s.count(len(names), what), names))
		}
	}
	add("running container", s.Running)
	add("stopped container", s.Stopped)
	add("container", s.Containers)
	add("volume", s.Volumes)
	if s.Images > 0 {
		lines = append(lines, s.count(s.Images, "image"))
	}
	if len(s.Unread) > 0 {
		lines = append(lines, strings.TrimSpace(strings.Join(s.Unread, " and ")+" "+s.Where)+", which rdd cannot count now")
	}
	if s.Disk > 0 {
		lines = append(lines, "the VM's disk ("+limahost.FormatBytes(s.Disk)+") with its containers, volumes and images")
	}
	return lines
}

func (s Store) count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", n, what, s.Where))
}

// listed returns a count with as many of the names as fit on a line.
func listed(count string, names []string) string {
	const width = 62 // with "and N more" and an indentation less than 80
	text := count + ":"
	for i, name := range names {
		name = " " + shown(name)
		if i > 0 && len(text)+len(name) > width {
			return fmt.Sprintf("%s and %d more", strings.TrimSuffix(text, ","), len(names)-i)
		}
		text += name + ","
	}
	return strings.TrimSuffix(text, ",")
}

// shown shortens a long name, such as that of an anonymous volume, and replaces
// characters that are not printable.
func shown(name string) string {
	const longest = 40
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = '?'
		}
	}
	if len(runes) > longest {
		const hex = 12
		return string(runes[:hex]) + "…"
	}
	return string(runes)
}
