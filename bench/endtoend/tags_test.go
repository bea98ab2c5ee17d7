package main

import (
	"encoding/json"
	"testing"
)

func TestWithTagsAddsTags(t *testing.T) {
	const before = `{"Repositories":{"image":{"image:1":"sha256:aa","image:2":"sha256:bb"}}}`
	text, err := withTags([]byte(before), map[string]string{"image:3": "image:1", "other:1": "image:2"})
	if err != nil {
		t.Fatal(err)
	}
	var after struct{ Repositories map[string]map[string]string }
	if err := json.Unmarshal(text, &after); err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]string{"image:1": "sha256:aa", "image:2": "sha256:bb", "image:3": "sha256:aa"} {
		if got := after.Repositories["image"][tag]; got != want {
			t.Errorf("%s is %q, want %q", tag, got, want)
		}
	}
	if got := after.Repositories["other"]["other:1"]; got != "sha256:bb" {
		t.Errorf("other:1 is %q", got)
	}
	if _, err := withTags([]byte(before), map[string]string{"image:9": "image:7"}); err == nil {
		t.Error("a missing image got a tag")
	}
}

func TestNumbersSortsImages(t *testing.T) {
	got, err := numbers("2000,100")
	if err != nil || len(got) != 2 || got[0] != 100 || got[1] != 2000 {
		t.Errorf("numbers = %v, %v", got, err)
	}
	if got, err := numbers("0"); err != nil || got != nil {
		t.Errorf("none: %v, %v", got, err)
	}
	for _, wrong := range []string{"", "x", "-1", "1"} {
		if _, err := numbers(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
