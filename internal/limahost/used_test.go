package limahost

import (
	"os"
	"testing"
)

func TestLastUsedRequiresReadyEngine(t *testing.T) {
	p := Paths{LimaHome: t.TempDir()}
	put := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(used bool, what string) {
		t.Helper()
		if got := LastUsed(p); got.IsZero() == used {
			t.Errorf("%s: used at %v", what, got)
		}
	}
	want(false, "nothing was ever made")
	if err := os.Mkdir(p.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	put(p.Disk(), "")
	want(true, "nothing is known of the disk")
	put(p.Record(), `{"up": false}`)
	want(false, "no engine was ever up on it")
	put(p.Record(), `{"booted": true}`)
	want(true, "an engine was up on it")
	put(p.Record(), "{")
	want(true, "what is known of it is damaged")
	put(p.Making(), "")
	want(false, "it is being made")
}
