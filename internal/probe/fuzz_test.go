package probe

import (
	"net/url"
	"testing"
)

// FuzzSplit makes up endpoints: what is taken is the base of a URL.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"unix:///a", "unix://", "tcp://h:1", "http://[::1]:2", "https://h", "ssh://h", "tcp:///x", "tcp://h:1/base", "tcp://%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		base, dial, err := split(endpoint)
		if err != nil {
			return
		}
		if u, err := url.Parse(base + "/version"); err != nil || u.Host == "" || u.Path != "/version" || dial == nil {
			t.Fatalf("%q became %q: %v, %v", endpoint, base, u, err)
		}
	})
}
