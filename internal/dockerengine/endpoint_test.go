package dockerengine

import (
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for raw, want := range map[string]endpoint{
		"unix:///run/docker.sock":     {host: "unix:///run/docker.sock", scheme: "http", socket: "/run/docker.sock"},
		"unix:////run//docker.sock":   {host: "unix:///run/docker.sock", scheme: "http", socket: "/run/docker.sock"},
		"tcp://127.0.0.1:2375":        {host: "tcp://127.0.0.1:2375", scheme: "http"},
		"tcp://[::1]:2375/base/":      {host: "tcp://[::1]:2375/base", scheme: "http"},
		"http://engine.example":       {host: "tcp://engine.example:80", scheme: "http"},
		"https://engine.example":      {host: "tcp://engine.example:443", scheme: "https"},
		"https://engine.example:2376": {host: "tcp://engine.example:2376", scheme: "https"},
	} {
		got, err := parseEndpoint(raw)
		if err != nil || got != want {
			t.Errorf("parseEndpoint(%q) = %+v, %v; want %+v", raw, got, err, want)
		}
	}
}

func TestBadEndpointsSayWhatToUse(t *testing.T) {
	for _, raw := range []string{
		"", "/run/docker.sock", "unix://", "unix://relative.sock", "tcp://", "tcp://host", "tcp://:2375",
		"ssh://host", "npipe:////./pipe/docker_engine", "tcp://host:port", "tcp://user@host:1", "http://host?x=1", "tcp://[::1:2375",
	} {
		_, err := New(raw)
		if err == nil {
			t.Errorf("New(%q) succeeded", raw)
			continue
		}
		if !strings.Contains(err.Error(), "unix:///") {
			t.Errorf("New(%q): %v; does not say what to use", raw, err)
		}
	}
}
