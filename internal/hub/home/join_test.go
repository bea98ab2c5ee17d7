package home

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

const joinText = `apiVersion: v1
kind: Config
clusters:
- name: hub
  cluster: {server: "https://hub.example:6443", certificate-authority: ca.crt}
contexts:
- name: laptop
  context: {cluster: hub, user: laptop, namespace: laptop}
- name: other
  context: {cluster: hub, user: other, namespace: other}
current-context: laptop
users:
- name: laptop
  user: {token: secret}
- name: other
  user: {token: other}
`

// A stored join file works without the file that it comes from.
func TestJoinIsStored(t *testing.T) {
	inst, dir := instancetest.At(t, "test"), t.TempDir()
	if _, err := Load(inst); !errors.Is(err, ErrNotJoined) {
		t.Fatalf("before: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.crt"), []byte(testCA(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := Parse([]byte(joinText), dir)
	if err != nil {
		t.Fatal(err)
	}
	j.Allow = hubv1.AllowCreate
	if err := j.Save(inst); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "ca.crt")); err != nil {
		t.Fatal(err)
	}
	got, err := Load(inst)
	if err != nil {
		t.Fatal(err)
	}
	if got.Machine != "laptop" || got.Server != "https://hub.example:6443" || got.Allow != hubv1.AllowCreate || !got.JoinedAt.Equal(&j.JoinedAt) {
		t.Errorf("loaded %+v", got)
	}
	config, err := got.RESTConfig()
	if err != nil {
		t.Fatal(err)
	}
	if token, err := os.ReadFile(config.BearerTokenFile); err != nil || string(token) != "secret" {
		t.Errorf("token %q, %v", token, err)
	}
	stored, err := os.ReadFile(filepath.Join(inst.TLSDir, filename.HubKubeconfig))
	if err != nil || strings.Contains(string(stored), "other") {
		t.Errorf("the stored file has other credentials too: %s, %v", stored, err)
	}
	for _, path := range []string{filepath.Join(inst.TLSDir, filename.HubKubeconfig), config.BearerTokenFile} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	if err := Leave(inst); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(inst); !errors.Is(err, ErrNotJoined) {
		t.Errorf("after leave: %v", err)
	}
	if left := TokenFiles(inst); len(left) > 0 {
		t.Errorf("after leave: %v", left)
	}
}

func testCA(t *testing.T) string {
	t.Helper()
	return "-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString([]byte("no certificate")) + "\n-----END CERTIFICATE-----\n"
}

func TestJoinFileErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"not a kubeconfig": {"a: [", "is not a kubeconfig"},
		"empty":            {"", "no current context"},
		"no context":       {strings.Replace(joinText, "current-context: laptop", "current-context: missing", 1), "no current context"},
		"no namespace":     {strings.Replace(joinText, ", namespace: laptop", "", 1), "has no namespace"},
		"no cluster":       {strings.Replace(joinText, "{cluster: hub, user: laptop,", "{cluster: missing, user: laptop,", 1), "incomplete"},
		"missing file":     {joinText, "ca.crt"},
	} {
		if _, err := Parse([]byte(test.text), t.TempDir()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func token(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

func TestTokenIsDue(t *testing.T) {
	c, ok := claimsOf(token(`{"sub":"system:serviceaccount:laptop:rdd","iat":1000,"exp":2000}`) + "\n")
	received := time.Unix(50_000, 0)
	if want := received.Add(800 * time.Second); !ok || !c.dueAt(received).Equal(want) {
		t.Errorf("due at %v (%v), want %v", c.dueAt(received), ok, want)
	}
	for _, text := range []string{
		"", "a.b.c", "secret", token(`{"sub":"alice","iat":1,"exp":2}`),
		token(`{"sub":"system:serviceaccount:laptop:rdd","iat":2,"exp":1}`), token(`[]`),
	} {
		if _, ok := claimsOf(text); ok {
			t.Errorf("%q is a ServiceAccount's token", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(joinText)
	f.Add(strings.Replace(joinText, "certificate-authority: ca.crt", "certificate-authority-data: YQ==", 1))
	f.Fuzz(func(t *testing.T, text string) {
		j, err := Parse([]byte(text), t.TempDir())
		if err == nil && (j.Machine == "" || j.kubeconfig == nil) {
			t.Errorf("parsed %+v", j)
		}
	})
}

func FuzzClaims(f *testing.F) {
	f.Add(token(`{"sub":"system:serviceaccount:laptop:rdd","iat":1000,"exp":2000}`))
	f.Fuzz(func(t *testing.T, text string) {
		received := time.Unix(50_000, 0)
		if c, ok := claimsOf(text); ok && c.Expires-c.IssuedAt < 1<<32 && c.dueAt(received).Before(received) {
			t.Errorf("%+v is due before it was received", c)
		}
	})
}
