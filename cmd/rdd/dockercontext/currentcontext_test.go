package dockercontext

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/cli/cli/config"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestSelectKeepsOtherSettings(t *testing.T) {
	inst := at(t, "2")
	dir := filepath.Join(os.Getenv("HOME"), ".docker")
	const before = "{\n\t\"zeta\": {\n\t\t\"big\": 12345678901234567890,\n\t\t\"html\": \"<&>\"\n\t},\n\t\"auths\": {\n\t\t\"r.test\": {\n\t\t\t\"auth\": \"eDp5\"\n\t\t}\n\t},\n\t\"HttpHeaders\": {}\n}\n"
	testkit.WriteFile(t, filepath.Join(dir, "config.json"), before)
	if _, err := Open(dir).Ensure(t.Context(), inst, Socket(inst), SelectAlways, nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	want := strings.TrimSuffix(before, "\n}\n") + ",\n\t\"currentContext\": \"rdd\"\n}\n"
	if err != nil || string(text) != want {
		t.Errorf("%s, %v, want\n%s", text, err, want)
	}
	if removed, err := Open(dir).Withdraw(inst); !removed || err != nil {
		t.Fatalf("%v, %v", removed, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "config.json")); err != nil || string(text) != before {
		t.Errorf("after the removal: %s, %v", text, err)
	}
	if _, err := Open(dir).Context("rdd"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the context still exists: %v", err)
	}
}

// Many instances that start at once in one home do not overwrite each other's changes.
func TestEnsureInParallel(t *testing.T) {
	at(t, "2")
	dir := filepath.Join(os.Getenv("HOME"), ".docker")
	testkit.WriteFile(t, filepath.Join(dir, "config.json"), `{"auths":{"r.test":{"auth":"eDp5"}}}`)
	const count = 8
	var group sync.WaitGroup
	selected := make([]bool, count)
	for i := range count {
		inst, err := instance.New(fmt.Sprintf("i%d", i))
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			result, err := Open(dir).Ensure(t.Context(), inst, Socket(inst), SelectIfNeeded,
				func(_ context.Context, host string) bool { return host != DefaultHost })
			if err != nil {
				t.Error(err)
			}
			selected[i] = result.Replaced != ""
			expectContext(t, dir, Name(inst), Socket(inst))
		})
	}
	group.Wait()
	first := slices.Index(selected, true)
	if first < 0 || slices.Contains(selected[first+1:], true) {
		t.Fatalf("selected: %v, want one", selected)
	}
	expectCurrent(t, dir, fmt.Sprintf("rdd-i%d", first))
	if file, err := config.Load(dir); err != nil || file.AuthConfigs["r.test"].Password != "y" {
		t.Errorf("the password is lost: %v", err)
	}
}

func TestConfigLinksStay(t *testing.T) {
	inst := at(t, "2")
	home := os.Getenv("HOME")
	testkit.WriteFile(t, filepath.Join(home, "dotfiles", "config.json"), `{"credsStore":"pass"}`)
	if err := os.Symlink("dotfiles", filepath.Join(home, ".docker")); err != nil {
		t.Fatal(err)
	}
	dir, err := Dir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir).Ensure(t.Context(), inst, Socket(inst), SelectAlways, nil); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(filepath.Join(home, ".docker")); err != nil || target != "dotfiles" {
		t.Errorf("%s, %v", target, err)
	}
	expectCurrent(t, filepath.Join(home, "dotfiles"), "rdd")
	if file, err := config.Load(dir); err != nil || file.CredentialsStore != "pass" {
		t.Errorf("%+v, %v", file, err)
	}
}

func FuzzCurrentContext(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"a":1,"currentContext":"x"}`, `{"CURRENTCONTEXT":"x","currentContext":null}`, "[1]", "{", `{"a":1}x`} {
		f.Add([]byte(seed), "rdd")
	}
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		members, err := decode(text)
		if err != nil {
			return
		}
		encoded, err := encode(withCurrent(members, name))
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(encoded)
		if err != nil {
			t.Fatalf("%q: %v", encoded, err)
		}
		got, err := currentOf(again)
		if want := strings.ToValidUTF8(name, "\uFFFD"); err != nil || strings.ToValidUTF8(got, "\uFFFD") != want && name == want {
			t.Errorf("%q: %q, %v", encoded, got, err)
		}
		others := func(all []member) []member {
			return slices.DeleteFunc(slices.Clone(all), member.isCurrent)
		}
		if len(others(again)) != len(others(members)) {
			t.Errorf("%q became %q", text, encoded)
		}
	})
}
