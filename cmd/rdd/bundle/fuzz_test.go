package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRedactor inserts a known secret into any text. The redactor must remove it, and
// must not change text without anything that looks like a secret.
func FuzzRedactor(f *testing.F) {
	f.Add("token: ", "0123456789abcdef", "\n")
	f.Add("-----BEGIN PRIVATE KEY-----\n", "MHcCAQEEIabcdef", "\n-----END PRIVATE KEY-----")
	f.Add("\"--password\",\n\"", "x y\"z%20.{}", "\"\n")
	f.Add("https://me:", "p4ssw0rd", "@host/")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		if len(secret) < minSecret || strings.ContainsAny(secret, "\n") || strings.Contains(redacted, secret) {
			return
		}
		got := redactedText(t, []string{secret}, before+secret+after)
		if strings.Contains(got, secret) {
			t.Fatalf("%q is left in %q", secret, got)
		}
		if plain := before + after; !newRedactor(nil).suspicious(plain) && !strings.Contains(plain, "KEY") {
			if same := redactedText(t, nil, plain); same != plain {
				t.Fatalf("%q became %q", plain, same)
			}
		}
	})
}

// FuzzSecretsOfFiles feeds random files and variables to the functions that find secrets.
func FuzzSecretsOfFiles(f *testing.F) {
	f.Add(`{"auths":{"r":{"auth":"dXNlcjpwYXNzd29yZA==","identitytoken":"x"}}}`)
	f.Add("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIB\n-----END PRIVATE KEY-----")
	f.Add("MY_TOKEN=abc\x00PATH=/x\x00=\x00KEY")
	path := filepath.Join(f.TempDir(), "config.json")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = registrySecrets(path)
		for _, line := range keyLines(text) {
			if !strings.Contains(text, line) {
				t.Fatalf("%q is not in the key", line)
			}
		}
		for _, value := range environmentSecrets(strings.Split(text, "\x00")) {
			if strings.HasPrefix(value, "/") {
				t.Fatalf("a path is taken for a secret: %q", value)
			}
		}
	})
}
