package endpoint

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint/endpointtest"
)

func TestParse(t *testing.T) {
	for raw, want := range map[string]Endpoint{
		"unix:///run/docker.sock":     {Scheme: "http", Socket: "/run/docker.sock"},
		"unix:////run//docker.sock":   {Scheme: "http", Socket: "/run/docker.sock"},
		"tcp://127.0.0.1:2375":        {Scheme: "http", Address: "127.0.0.1:2375"},
		"tcp://[::1]:2375/base/":      {Scheme: "http", Address: "[::1]:2375", Base: "/base"},
		"http://engine.example":       {Scheme: "http", Address: "engine.example:80"},
		"https://engine.example":      {Scheme: "https", Address: "engine.example:443"},
		"https://engine.example:2376": {Scheme: "https", Address: "engine.example:2376"},
	} {
		got, err := Parse(raw)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", raw, got, err, want)
		}
	}
	for _, raw := range endpointtest.Valid() {
		if _, err := Parse(raw); err != nil {
			t.Error(err)
		}
	}
}

func TestParseErrorNamesValidForms(t *testing.T) {
	for _, raw := range append(endpointtest.Invalid(), "", "tcp://"+strings.Repeat("x", MaxLength)+":1", "unix:///\xff") {
		at, err := Parse(raw)
		if err == nil {
			t.Errorf("Parse(%q) = %+v", raw, at)
		} else if !strings.Contains(err.Error(), "unix:///") {
			t.Errorf("Parse(%q): the error does not list the valid forms: %v", raw, err)
		}
	}
}

// An accepted endpoint is a socket or the base of a URL.
func FuzzParse(f *testing.F) {
	for _, seed := range append(endpointtest.Valid(), endpointtest.Invalid()...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		at, err := Parse(raw)
		if err != nil {
			return
		}
		if (at.Socket == "") == (at.Address == "") {
			t.Fatalf("%q became %+v", raw, at)
		}
		if u, err := url.Parse(at.URL() + "/version"); err != nil || u.Host == "" || !strings.HasSuffix(u.Path, "/version") {
			t.Fatalf("%q became %q: %v, %v", raw, at.URL(), u, err)
		}
	})
}
