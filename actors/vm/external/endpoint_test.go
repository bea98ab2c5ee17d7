package external

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestEndpoint(t *testing.T) {
	tests := []struct {
		name     string
		spec     string
		env      map[string]string
		config   string            // config.json; empty for none
		contexts map[string]string // meta.json by name
		want     string
		from     string
		failure  string
	}{
		{name: "spec", spec: "tcp://a:1", env: map[string]string{"DOCKER_HOST": "tcp://b:1"}, want: "tcp://a:1", from: "vm.endpoint"},
		{name: "DOCKER_HOST before context", env: map[string]string{"DOCKER_HOST": "tcp://b:1", "DOCKER_CONTEXT": "c"}, want: "tcp://b:1", from: "DOCKER_HOST"},
		{name: "DOCKER_HOST with TLS", env: map[string]string{"DOCKER_HOST": "tcp://b:1", "DOCKER_TLS_VERIFY": "1"}, failure: "TLS"},
		{name: "no configuration", want: systemEndpoint, from: "default"},
		{name: "no current context", config: `{"auths": {}}`, want: systemEndpoint, from: "default"},
		{name: "context default", config: `{"currentContext": "default"}`, want: systemEndpoint, from: "default"},
		{
			name: "a context", config: `{"currentContext": "mine"}`,
			contexts: map[string]string{"mine": `{"Name":"mine","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///mine.sock","SkipTLSVerify":false}}}`},
			want:     "unix:///mine.sock", from: `the Docker context "mine"`,
		},
		{
			name: "DOCKER_CONTEXT before current context", config: `{"currentContext": "mine"}`, env: map[string]string{"DOCKER_CONTEXT": "other"},
			contexts: map[string]string{"other": `{"Endpoints":{"docker":{"Host":"unix:///other.sock"}}}`},
			want:     "unix:///other.sock", from: "DOCKER_CONTEXT",
		},
		{
			name: "own engine in the current context is ignored", config: `{"currentContext": "rdd"}`,
			contexts: map[string]string{"rdd": `{"Endpoints":{"docker":{"Host":"unix:///own.sock"}}}`},
			want:     systemEndpoint, from: "rdd's own engine",
		},
		{name: "missing context", config: `{"currentContext": "mine"}`, failure: "docker context ls"},
		{name: "context without Docker", config: `{"currentContext": "mine"}`, contexts: map[string]string{"mine": `{"Endpoints":{}}`}, failure: "has no Docker endpoint"},
		{name: "own engine in DOCKER_HOST is ignored", env: map[string]string{"DOCKER_HOST": "unix:///own.sock"}, want: systemEndpoint, from: "default"},
		{name: "own engine in other notation", spec: "unix:////x//../own.sock", failure: "rdd's own engine"},
		{name: "own engine in the spec", spec: "unix:///own.sock", failure: "rdd's own engine"},
		{name: "a broken config", config: `{`, failure: "config.json"},
		{name: "a broken context", config: `{"currentContext": "mine"}`, contexts: map[string]string{"mine": `[]`}, failure: "meta.json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			home := t.TempDir()
			if test.config != "" {
				testkit.WriteFile(t, filepath.Join(home, ".docker", "config.json"), test.config)
			}
			for name, meta := range test.contexts {
				sum := sha256.Sum256([]byte(name))
				testkit.WriteFile(t, filepath.Join(home, ".docker", "contexts", "meta", hex.EncodeToString(sum[:]), "meta.json"), meta)
			}
			l := lookup{getenv: func(name string) string { return test.env[name] }, home: home, own: "unix:///own.sock"}
			got, from, err := l.endpoint(messages.VMSpec{Endpoint: test.spec})
			if test.failure != "" {
				if err == nil || !strings.Contains(err.Error(), test.failure) {
					t.Errorf("error = %v, want %q", err, test.failure)
				}
				return
			}
			if err != nil || got != test.want || !strings.Contains(from, test.from) {
				t.Errorf("endpoint = %q from %q, %v", got, from, err)
			}
		})
	}
}

func FuzzParseContextMeta(f *testing.F) {
	for _, seed := range []string{`{"Endpoints":{"docker":{"Host":"unix:///a"}}}`, `{"Endpoints":null}`, `{}`, `[]`, ``, `{"endpoints":{"DOCKER":{"host":1}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if endpoint, err := parseContextMeta(data); (endpoint == "") == (err == nil) {
			t.Errorf("parseContextMeta(%q) = %q, %v; want either", data, endpoint, err)
		}
	})
}

func FuzzParseCurrentContext(f *testing.F) {
	for _, seed := range []string{`{"currentContext":"mine"}`, `{"currentContext":""}`, `{"currentContext":7}`, `null`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if name, err := parseCurrentContext(data); (name == "") == (err == nil) {
			t.Errorf("parseCurrentContext(%q) = %q, %v; want either", data, name, err)
		}
	})
}
