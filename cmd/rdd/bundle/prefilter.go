package bundle

import "strings"

// prefilter finds, in one pass, whether a text has a word that some pattern of the
// redactor begins with.
type prefilter struct {
	words []string
	// starts has a bit for each pair of bytes that begins a word.
	starts [1 << 10]uint64
}

func newPrefilter() *prefilter {
	p := &prefilter{words: []string{
		"pass", "pw", "secret", "token", "key", "cred", "auth", "bearer", "basic", "cookie", "session", "signature", "jwt", "otp",
		"dsn", "pin=", "pin:", `pin"`, `pin\`, "pin ", "sig=", "sig:", `sig"`, `sig\`, "sig ", "sas=", "sas:", `sas"`, `sas\`, "sas ",
		"eyj", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat", "dckr", "xox", "sk-", "npm_", "hf_", "akia", "swmtkn",
		"rdd_docker_", "rdd_containerd_", "put '",
		" -p", `"-p`, "'-p", "\t-p", " -u", `"-u`, "'-u", "\t-u", "--user",
	}}
	for _, word := range p.words {
		pair := pairAt(word, 0)
		p.starts[pair>>6] |= 1 << (pair & 63)
	}
	return p
}

// matches reports whether the text has one of the words, ignoring case.
func (p *prefilter) matches(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		pair := pairAt(text, i)
		if p.starts[pair>>6]&(1<<(pair&63)) != 0 && p.at(text[i:]) {
			return true
		}
	}
	return false
}

func (p *prefilter) at(text string) bool {
	for _, word := range p.words {
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
