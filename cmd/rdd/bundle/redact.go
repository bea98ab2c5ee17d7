package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
)

// redacted replaces a secret.
const redacted = "REDACTED"

// maxLine is the maximum size of text that is redacted at a time, in bytes. A longer
// line is redacted in pieces, which never split a known secret; see copy.
const maxLine = 1 << 20

// redactor removes secrets from text: known values, and what looks like a secret
// because of its form or the words around it.
type redactor struct {
	// known replaces all known secrets in one pass.
	known     *strings.Replacer
	prefilter *prefilter
	longest   int
	patterns  []pattern
	option    *regexp.Regexp
	pair      *regexp.Regexp
	address   *regexp.Regexp
	flag      *regexp.Regexp
	value     *regexp.Regexp
	begin     *regexp.Regexp
	end       *regexp.Regexp
}

type pattern struct {
	what *regexp.Regexp
	with string
}

// newRedactor returns a redactor for known secrets, which must be sorted longest first.
func newRedactor(secrets []string) *redactor {
	const (
		words = `(?:pass|pwd|pw|secret|token|key|cred|auth|cookie|session)`
		// A value ends with the quote that it begins with, else at white space or at
		// the closing quote of the surrounding text.
		value = `("(?:[^"\\]|\\.)*"|\\"(?:[^"\\]|\\[^"])*\\"|'[^']*'|(?:[^\s"\\]|\\[^"\s])+)`
	)
	// If two match at the same place, the Replacer takes the first, which is the longest.
	var replacements []string
	for _, secret := range secrets {
		replacements = append(replacements, secret, redacted)
	}
	r := &redactor{
		known:     strings.NewReplacer(replacements...),
		prefilter: newPrefilter(),
		patterns: []pattern{
			{regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(\\?["']?\s*[:=]\s*\\?["']?(?:(?:bearer|basic|digest|negotiate|token)\s+)?)[^\n]+`), "${1}${2}" + redacted},
			{regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}`), "${1}${2}" + redacted},
			// https://user:password@host
			{regexp.MustCompile(`(://)(?:[^\s"'@/?#]*(?::[^\s"'@]*)?@)+`), "${1}" + redacted + "@"},
			// curl -u user:password, docker login -p password, mysql -ppassword
			{regexp.MustCompile(`((?:^|[\s"'])(?:-u|-U|--user|--proxy-user)["']?[,=]?\s*["']?[^\s"':=]*[^\s"':=\d][^\s"':=]*:)[^\s"']+`), "${1}" + redacted},
			{regexp.MustCompile(`((?:^|[\s"'])-p["',\s]*)[^\s"',\d:\[-][^\s"']*`), "${1}" + redacted},
			{regexp.MustCompile(`((?:^|[\s"'])-p)\d[^\s"':/.-]*[A-Za-z!#$%&*+;<>?@^_~][^\s"']*`), "${1}" + redacted},
			// settings of the engine in base64, in lima.yaml and in the script of cloud-config.yaml
			{regexp.MustCompile(`\b(put ')[A-Za-z0-9+/=]+'`), "${1}" + redacted + "'"},
			{regexp.MustCompile(`\b(RDD_(?:DOCKER|CONTAINERD)_(?:CONFIG|UNIT)["']?\s*[:=]\s*)\S+`), "${1}" + redacted},
			// tokens with a known form
			{regexp.MustCompile(`\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?`), redacted},
			{regexp.MustCompile(`\b(?:gh[pousr]_|github_pat_|glpat-|dckr_(?:pat|oat)_|xox[abprs]-|sk-|npm_|hf_|SWMTKN-|AKIA)[\w-]{12,}`), redacted},
		},
		// --password value, in one string or as two elements of a list
		option: regexp.MustCompile(`(?i)((?:^|[\s"'])--?[\w-]*` + words + `[\w-]*["']?,?\s+)` + value),
		// NAME=value, name: value, "name": "value"
		pair: regexp.MustCompile(`([A-Za-z_][\w.-]*)(\\?["']?\s*[:=]\s*)` + value),
		// user:password@tcp(host:1)/database
		address: regexp.MustCompile(`([\w.+-]+:)([^\s"'@:/]+)(@(?:sha(?:256|384|512):)?[\w\[(])`),
		// An option as an element of a list. The secret is the next element, on the next line.
		flag:  regexp.MustCompile(`(?i)["'](?:--?[\w-]*` + words + `[\w-]*|-p|-u)["'],\s*$`),
		value: regexp.MustCompile(`(["']).*(["'])`),
		begin: regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`),
		end:   regexp.MustCompile(`-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----`),
	}
	for _, secret := range secrets {
		r.longest = max(r.longest, len(secret))
	}
	return r
}

// suspicious reports whether a pattern could match text. For most lines none can,
// and this check costs a fiftieth of matching the patterns.
func (r *redactor) suspicious(text string) bool {
	return r.prefilter.matches(text) || strings.HasPrefix(text, "-") || strings.Contains(text, "@") && strings.Contains(text, ":")
}

// line returns text, which can have several lines, without secrets.
func (r *redactor) line(text string) string {
	text = r.known.Replace(text)
	if !r.suspicious(text) {
		return text
	}
	for _, p := range r.patterns {
		text = p.what.ReplaceAllString(text, p.with)
	}
	text = r.option.ReplaceAllStringFunc(text, func(found string) string {
		parts := r.option.FindStringSubmatch(found)
		if strings.HasPrefix(strings.Trim(parts[2], `"'`), "--") { // the next option
			return found
		}
		return parts[1] + quoteLike(parts[2])
	})
	return r.pairs(r.addresses(text))
}

// addresses removes the passwords from user:password@host. It keeps an image with a
// digest as it is.
func (r *redactor) addresses(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	return r.address.ReplaceAllStringFunc(text, func(found string) string {
		parts := r.address.FindStringSubmatch(found)
		if strings.HasPrefix(parts[3], "@sha") && strings.Contains(parts[3], ":") {
			return found
		}
		return parts[1] + redacted + parts[3]
	})
}

// pairs removes the values of pairs whose name is that of a secret.
func (r *redactor) pairs(text string) string {
	var b strings.Builder
	for {
		// One pair at a time, because a value that stays can contain another pair.
		at := r.pair.FindStringSubmatchIndex(text)
		if at == nil {
			b.WriteString(text)
			return b.String()
		}
		name, value := text[at[2]:at[3]], text[at[6]:at[7]]
		b.WriteString(text[:at[6]])
		rest := text[at[6]:]
		if secretName(name) && !harmless(value) {
			b.WriteString(quoteLike(value))
			rest = text[at[7]:]
		}
		text = rest
	}
}

// harmless reports whether a value is never a secret, whatever its name.
func harmless(value string) bool {
	value = strings.Trim(value, `"'\`)
	if strings.HasPrefix(value, redacted) {
		return true
	}
	switch strings.ToLower(strings.TrimRight(value, ",;)}]")) {
	case "", "true", "false", "null", "nil", "none", "<nil>", "[", "{", "map[", "[{":
		return true
	case "bearer", "basic", "digest", "negotiate": // the text after it is already redacted
		return true
	}
	return false
}

// quoteLike returns the replacement for a value, in the same quotes.
func quoteLike(value string) string {
	for _, quote := range []string{`\"`, `"`, `'`} {
		if strings.HasPrefix(value, quote) {
			return quote + redacted + quote
		}
	}
	// Keep the closing punctuation of the surrounding text.
	return redacted + value[len(strings.TrimRight(value, ",;)}]")):]
}

// copy copies text without secrets and without the lines of private keys.
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
			// The end of the piece is processed with the next piece.
			keep := len(text) - min(len(text), r.longest+256)
			text, rest = text[:keep], bytes.Clone(text[keep:])
			err = nil
		}
		var line string
		line, inKey = r.withoutKeys(string(text), inKey)
		if afterFlag {
			line = r.value.ReplaceAllString(line, "${1}"+redacted+"${2}")
		}
		afterFlag = r.suspicious(line) && r.flag.MatchString(line)
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

// withoutKeys removes private keys, which can begin in one line and end in another.
func (r *redactor) withoutKeys(line string, inKey bool) (string, bool) {
	if !inKey && !strings.Contains(line, "PRIVATE KEY") {
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
