package instance

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func lookupIn(list ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, entry := range list {
			if found, value, _ := strings.Cut(entry, "="); found == name {
				return value, true
			}
		}
		return "", false
	}
}

func TestEnvironmentWithKeepsUnsetVariables(t *testing.T) {
	kept := []string{"RDD_DOCKERD=/opt/dockerd", "RDD_DOCKERD_ARGS=--debug", "HTTP_PROXY=http://a:1", "http_proxy=http://a:1", "NO_PROXY=x"}
	for _, test := range []struct {
		name      string
		set, want []string
	}{
		{"unset variables stay", nil, kept},
		{"other variables are ignored", []string{"PATH=/x", "DOCKER_HOST=unix:///x"}, kept},
		{"a new value replaces one", []string{"RDD_DOCKERD_ARGS=--mtu 1400"}, []string{kept[0], "RDD_DOCKERD_ARGS=--mtu 1400", kept[2], kept[3], kept[4]}},
		{"an empty value removes one", []string{"RDD_DOCKERD=", "NO_PROXY="}, kept[1:4]},
		{"a proxy in one case replaces both", []string{"http_proxy=http://b:2"}, []string{kept[0], kept[1], "http_proxy=http://b:2", kept[4]}},
		{"an empty value in one case removes both", []string{"HTTP_PROXY="}, []string{kept[0], kept[1], kept[4]}},
	} {
		got := Environment{}.With(lookupIn(kept...)).With(lookupIn(test.set...)).List()
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestSaveArgsFileIsPrivate(t *testing.T) {
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	want := Args{Environment: Environment{}.With(lookupIn("https_proxy=http://u:geheim@p:1", "HTTPS_PROXY=http://q:2"))}
	if err := i.SaveArgs(want); err != nil {
		t.Fatal(err)
	}
	if got, err := i.LoadArgs(); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if info, err := os.Stat(i.ArgsFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestEnvironmentShownHidesPassword(t *testing.T) {
	for value, want := range map[string]string{
		"http://u:geheim@p:1":  "http://***@p:1",
		"http://u:ge@heim@p:1": "http://***@p:1",
		"u:geheim@p:1":         "***@p:1",
		"http://p:1":           "http://p:1",
	} {
		if got := (Environment{HTTPProxyLower: value}).Shown(); got[0] != "http_proxy="+want {
			t.Errorf("%s: %q, want %s", value, got, want)
		}
	}
}

// Row F11: unchanged arguments are not written.
func TestSaveArgsSkipsUnchanged(t *testing.T) {
	i := scratch(t, "2")
	if err := i.Create(); err != nil {
		t.Fatal(err)
	}
	args := Args{LogLevel: "debug"}
	if err := i.SaveArgs(args); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(i.ArgsFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.SaveArgs(args); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(i.ArgsFile)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was replaced: %v", err)
	}
}
