package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
)

// redacted stands where a secret was.
const redacted = "REDACTED"

// maxLine bounds how much is looked at together, in bytes. A longer line is
// looked at in pieces, whose seams no known secret crosses: see copy.
const maxLine = 1 << 20

// redactor takes secrets out of text: those that are known by their value, and
// what looks like one by the words around it.
type redactor struct {
	// known secrets, the longest first.
	known    []string
	longest  int
	patterns []pattern
	named    *regexp.Regexp
	flag     *regexp.Regexp
	value    *regexp.Regexp
	begin    *regexp.Regexp
	end      *regexp.Regexp
}

type pattern struct {
	what *regexp.Regexp
	with string
}

func newRedactor(secrets []string) *redactor {
	const words = `(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|key-data|credential|identitytoken|\bauth\b)`
	r := &redactor{
		known: secrets,
		patterns: []pattern{
			{regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}`), "${1}${2}" + redacted},
			{regexp.MustCompile(`(://)[^/\s@"']+@`), "${1}" + redacted + "@"},
			// --password value, as one text or as elements of a list
			{regexp.MustCompile(`(?i)(--?[\w-]*` + words + `[\w-]*["']?,?\s+["']?)([^\s"'-][^\s"']*)`), "${1}" + redacted},
		},
		// NAME=value, name: value, "name": "value"
		named: regexp.MustCompile(`(?i)([\w.-]*` + words + `[\w.-]*\\?["']?\s*[:=]\s*\\?["']?)([^\s"',;&{}\[\]\\]+)`),
		// An element of a list, one on each line, whose secret is the next one.
		flag:  regexp.MustCompile(`(?i)["']--?[\w-]*` + words + `[\w-]*["'],\s*$`),
		value: regexp.MustCompile(`(["']).*(["'])`),
		begin: regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----`),
		end:   regexp.MustCompile(`-----END [A-Z0-9 ]*PRIVATE KEY-----`),
	}
	for _, secret := range secrets {
		r.longest = max(r.longest, len(secret))
	}
	return r
}

// suspicious is whether a pattern could match. Most lines are not, and are done
// with at once: to match the patterns costs fifty times as much.
func suspicious(text string) bool {
	lower := strings.ToLower(text)
	for _, word := range []string{"pass", "secret", "token", "key", "credential", "auth", "bearer", "basic"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return strings.Contains(lower, "://") && strings.Contains(lower, "@")
}

// line is text, of one line or several, without secrets.
func (r *redactor) line(text string) string {
	for _, secret := range r.known {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	if !suspicious(text) {
		return text
	}
	for _, p := range r.patterns {
		text = p.what.ReplaceAllString(text, p.with)
	}
	return r.named.ReplaceAllStringFunc(text, func(found string) string {
		parts := r.named.FindStringSubmatch(found)
		switch parts[2] {
		case "true", "false", "null":
			return found
		}
		return parts[1] + redacted
	})
}

// copy copies text without secrets. The lines of a private key are left out.
func (r *redactor) copy(to io.Writer, from io.Reader) error {
	in := bufio.NewReaderSize(from, maxLine)
	out := bufio.NewWriterSize(to, 1<<16)
	inKey, afterFlag := false, false
	var rest []byte
	for {
		piece, err := in.ReadSlice('\n')
		text := append(rest, piece...)
		rest = nil
		if errors.Is(err, bufio.ErrBufferFull) {
			// The end of the piece is looked at again with what follows.
			keep := len(text) - min(len(text), r.longest+256)
			text, rest = text[:keep], bytes.Clone(text[keep:])
			err = nil
		}
		var line string
		line, inKey = r.withoutKeys(string(text), inKey)
		if afterFlag {
			line = r.value.ReplaceAllString(line, "${1}"+redacted+"${2}")
		}
		afterFlag = suspicious(line) && r.flag.MatchString(line)
		if _, writeErr := out.WriteString(r.line(line)); writeErr != nil {
			return writeErr
		}
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
	}
}

// withoutKeys takes private keys out, which may begin in one line and end in another.
func (r *redactor) withoutKeys(line string, inKey bool) (string, bool) {
	if !inKey && !strings.Contains(line, "PRIVATE KEY-----") {
		return line, false
	}
	var b strings.Builder
	for {
		if inKey {
			at := r.end.FindStringIndex(line)
			if at == nil {
				return b.String(), true
			}
			line = line[at[1]:]
		}
		at := r.begin.FindStringIndex(line)
		if at == nil {
			b.WriteString(line)
			return b.String(), false
		}
		b.WriteString(line[:at[0]] + redacted + " PRIVATE KEY")
		line, inKey = line[at[1]:], true
	}
}
