package bundle

import "strings"

// signs are the beginnings of all that a pattern of the redactor could match, found
// in one pass over a text.
type signs struct {
	words []string
	// starts has a bit for each pair of bytes that a word begins with.
	starts [1 << 10]uint64
}

func newSigns() *signs {
	s := &signs{words: []string{
		"pass", "pw", "secret", "token", "key", "cred", "auth", "bearer", "basic", "cookie", "session", "signature", "jwt", "otp",
		"dsn", "pin=", "pin:", `pin"`, `pin\`, "pin ", "sig=", "sig:", `sig"`, `sig\`, "sig ", "sas=", "sas:", `sas"`, `sas\`, "sas ",
		"eyj", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat", "dckr", "xox", "sk-", "npm_", "hf_", "akia", "swmtkn",
		" -p", `"-p`, "'-p", "\t-p", " -u", `"-u`, "'-u", "\t-u", "--user",
	}}
	for _, word := range s.words {
		pair := pairAt(word, 0)
		s.starts[pair>>6] |= 1 << (pair & 63)
	}
	return s
}

// in reports whether a word is in the text, in capitals or not.
func (s *signs) in(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		pair := pairAt(text, i)
		if s.starts[pair>>6]&(1<<(pair&63)) != 0 && s.at(text[i:]) {
			return true
		}
	}
	return false
}

func (s *signs) at(text string) bool {
	for _, word := range s.words {
		if len(text) >= len(word) && strings.EqualFold(text[:len(word)], word) {
			return true
		}
	}
	return false
}

func pairAt(text string, i int) uint16 { return uint16(lower(text[i]))<<8 | uint16(lower(text[i+1])) }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
