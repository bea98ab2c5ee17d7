package bundle

import (
	"slices"
	"strings"
	"unicode"
)

// secretName reports whether a variable, option, field or header with this name
// holds a secret.
func secretName(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range []string{"password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "accesskey", "privatekey", "authorization", "cookie", "signature"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	words := wordsOf(name)
	for _, word := range words {
		switch word {
		case "pass", "pwd", "pw", "passcode", "cred", "creds", "auth", "jwt", "otp", "pin", "sig", "dsn", "session", "sessionid", "sas":
			return true
		}
	}
	// API_KEY, client-key-data, but neither key nor publicKey.
	return len(words) > 1 && slices.Contains(words, "key") && words[0] != "public" && !slices.Contains(words, "keys")
}

// wordsOf splits a name at capitals and at characters that are not letters: DB_PASS,
// dbPass and db.pass are all db and pass.
func wordsOf(name string) []string {
	var words []string
	begin := 0
	runes := []rune(name)
	end := func(i int) {
		if i > begin {
			words = append(words, strings.ToLower(string(runes[begin:i])))
		}
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r):
			end(i)
			begin = i + 1
		case unicode.IsUpper(r) && i > 0 && unicode.IsLower(runes[i-1]):
			end(i)
			begin = i
		}
	}
	end(len(runes))
	return words
}
