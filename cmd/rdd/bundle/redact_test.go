package bundle

import (
	"io"
	"strings"
	"testing"
)

func redactedText(t *testing.T, secrets []string, text string) string {
	t.Helper()
	var b strings.Builder
	if err := newRedactor(secrets).copy(&b, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRedactorRemovesPatterns(t *testing.T) {
	for text, want := range map[string]string{
		"level=INFO msg=\"all is well\"":                          "level=INFO msg=\"all is well\"",
		"Authorization: Bearer abcdef123456":                      "Authorization: Bearer REDACTED",
		"curl -H 'X: bearer abcdef123456'":                        "curl -H 'X: bearer REDACTED'",
		"https://user:pa55@example.com/x":                         "https://REDACTED@example.com/x",
		"POSTGRES_PASSWORD=hunter2 sh":                            "POSTGRES_PASSWORD=REDACTED sh",
		`{"Env":["MY_API_KEY=abc","B=1"]}`:                        `{"Env":["MY_API_KEY=REDACTED","B=1"]}`,
		"mysql --password hunter2 -u me":                          "mysql --password REDACTED -u me",
		"mysql --password=hunter2":                                "mysql --password=REDACTED",
		`"args": ["--token", "hunter2", "x"]`:                     `"args": ["--token", "REDACTED", "x"]`,
		"[\n  \"--token\",\n  \"hunter2\",\n  \"x\"\n]":           "[\n  \"--token\",\n  \"REDACTED\",\n  \"x\"\n]",
		`"auth": "dXNlcjpwYXNz"`:                                  `"auth": "REDACTED"`,
		`msg="{\"identitytoken\":\"abc\"}"`:                       `msg="{\"identitytoken\":\"REDACTED\"}"`,
		`"automountServiceAccountToken": false`:                   `"automountServiceAccountToken": false`,
		"put 'eyJhIjoxfQo=' /etc/docker/rdd.json docker.service":  "put 'REDACTED' /etc/docker/rdd.json docker.service",
		"  RDD_DOCKER_CONFIG: eyJhIjoxfQo=":                       "  RDD_DOCKER_CONFIG: REDACTED",
		`"settings": "{\"log-opts\":{\"splunk-token\":\"abc\"}}"`: `"settings": "{\"log-opts\":{\"splunk-token\":\"REDACTED\"}}"`,
		`"secrets": [`:          `"secrets": [`,
		"client-key-data: QUJD": "client-key-data: REDACTED",
		"the image http://127.0.0.1:5000/x is at a port":                                      "the image http://127.0.0.1:5000/x is at a port",
		"a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb":             "a\nREDACTED PRIVATE KEY\nb",
		`"k": "-----BEGIN PRIVATE KEY-----\nMHc\n-----END PRIVATE KEY-----\n"`:                `"k": "REDACTED PRIVATE KEY\n"`,
		"mount -o user=me,pass=Giraffe-5512,vers=3.0 //h/s":                                   "mount -o user=me,pass=REDACTED //h/s",
		`"o": "user=me,pwd=a;b&c'd,vers=3.0"`:                                                 `"o": "user=me,pwd=REDACTED"`,
		"DB_PASS=Tapir-3344 dbPass: x y":                                                      "DB_PASS=REDACTED dbPass: REDACTED y",
		`PASSWORD="two words" next`:                                                           `PASSWORD="REDACTED" next`,
		`msg="{\"password\":\"a b\"}" x=1`:                                                    `msg="{\"password\":\"REDACTED\"}" x=1`,
		"mysql -uroot -pKoala-7766 db":                                                        "mysql -uroot -pREDACTED db",
		"docker login -u me -p hunter2":                                                       "docker login -u me -p REDACTED",
		"docker run -p 8080:80 -p127.0.0.1:1:2 -p 80":                                         "docker run -p 8080:80 -p127.0.0.1:1:2 -p 80",
		"docker run -u 1000:1000 x":                                                           "docker run -u 1000:1000 x",
		"curl -u me:hunter2 http://h":                                                         "curl -u me:REDACTED http://h",
		`["curl","-u","me:hunter2"]`:                                                          `["curl","-u","me:REDACTED"]`,
		"curl --user=me:hunter2 h":                                                            "curl --user=me:REDACTED h",
		"http://me:pa/ss@h/x and ftp://t0ken@h":                                               "http://REDACTED@h/x and ftp://REDACTED@h",
		"app:hunter2@tcp(10.0.0.1:3306)/db":                                                   "app:REDACTED@tcp(10.0.0.1:3306)/db",
		"busybox:1@sha256:0123 pulled":                                                        "busybox:1@sha256:0123 pulled",
		"Proxy-Authorization: Digest a=\"b\"":                                                 "Proxy-Authorization: Digest REDACTED",
		"Cookie: a=b; c=d":                                                                    "Cookie: REDACTED",
		"X-Registry-Auth: eyJhIjoi":                                                           "X-Registry-Auth: REDACTED",
		"found ghp_0123456789abcdefABCDEF in it":                                              "found REDACTED in it",
		"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln end":                                      "jwt REDACTED end",
		`"password": null, "secure": true`:                                                    `"password": null, "secure": true`,
		"bypass=1 compass: n passed=3 keyboard=us":                                            "bypass=1 compass: n passed=3 keyboard=us",
		"a\n-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----\nb": "a\nREDACTED PRIVATE KEY\nb",
	} {
		if got := redactedText(t, nil, text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

// A known secret is removed everywhere, even where a very long line is split into
// pieces.
func TestRedactorRemovesKnownSecrets(t *testing.T) {
	const secret = "TheTokenOfTheDaemon"
	for _, at := range []int{0, 5, maxLine - 10, maxLine - 300, maxLine, 2*maxLine - 7, 3 * maxLine} {
		text := strings.Repeat("x", at) + secret + strings.Repeat("y", maxLine)
		got := redactedText(t, []string{secret}, text)
		if strings.Contains(got, secret) || len(got) != len(text)-len(secret)+len(redacted) {
			t.Errorf("at %d: the secret is left, or other text is missing", at)
		}
	}
}

func BenchmarkRedactor(b *testing.B) {
	line := `time=2026-01-01T00:00:00.000Z level=INFO msg="mirror could not be written" mirror=img-0123456789abcdef err="context deadline exceeded"` + "\n"
	text := strings.Repeat(line, 1<<20/len(line))
	r := newRedactor([]string{"TheTokenOfTheDaemon", "AnotherOne1", "AnotherOne2", "AnotherOne3", "AnotherOne4"})
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := r.copy(io.Discard, strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
