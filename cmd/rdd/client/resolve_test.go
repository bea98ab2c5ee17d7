package client

import (
	"strings"
	"testing"
)

func TestResolveNamesOneObject(t *testing.T) {
	objects := []NamedObject{
		{Name: "web", ID: "abc111", Resource: "abc111"},
		{Name: "db", ID: "abd222", Resource: "abd222"},
		{Name: "abd", ID: "fff333", Resource: "res-3"},
	}
	for text, want := range map[string]string{
		"web": "web", "abc": "web", "abd2": "db", "abd222": "db",
		"abd":   "abd", // a name before the prefix of an ID
		"res-3": "abd",
	} {
		if got, err := Resolve("container", text, objects); err != nil || got.Name != want {
			t.Errorf("%q: %+v, %v, want %s", text, got, err, want)
		}
	}
	for text, words := range map[string][]string{
		"ab":   {"2 containers", "web (abc111)", "db (abd222)", "more characters"},
		"we":   {`container "we" not found`, "web (abc111)"},
		"zzz":  {`container "zzz" not found`, "abd (fff333), db (abd222), web (abc111)"},
		"":     {`container "" not found`},
		"ABC1": {"not found"},
	} {
		_, err := Resolve("container", text, objects)
		if err == nil {
			t.Errorf("%q is resolved", text)
			continue
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q: the error %q lacks %q", text, err, word)
			}
		}
	}
	if _, err := Resolve("volume", "x", nil); err == nil || !strings.Contains(err.Error(), "the engine has no volumes") {
		t.Errorf("without objects: %v", err)
	}
}
