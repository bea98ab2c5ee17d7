package fallbackuser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestSetMissingKeepsKnownUser(t *testing.T) {
	passwd := filepath.Join(t.TempDir(), "passwd")
	testkit.WriteFile(t, passwd, "root:x:0:0:root:/root:/bin/sh\n# comment\nrdd:x:65532:65532::/home/rdd:/bin/sh\n")
	for _, test := range []struct {
		name, passwd           string
		uid                    int
		user, home             string
		wantedUser, wantedHome string
	}{
		{"no file", passwd + ".missing", 65532, "", "", "65532", "/"},
		{"no entry", passwd, 6553, "", "", "6553", "/"},
		{"entry", passwd, 65532, "", "", "", ""},
		{"variables", passwd, 7, "carol", "/home/carol", "carol", "/home/carol"},
		{"only a home", passwd, 7, "", "/data", "7", "/data"},
		{"only a name", passwd, 7, "carol", "", "carol", "/"},
	} {
		t.Setenv("USER", test.user)
		t.Setenv("HOME", test.home)
		setMissing(test.passwd, test.uid)
		if user, home := os.Getenv("USER"), os.Getenv("HOME"); user != test.wantedUser || home != test.wantedHome {
			t.Errorf("%s: USER=%s and HOME=%s, want %s and %s", test.name, user, home, test.wantedUser, test.wantedHome)
		}
	}
}
