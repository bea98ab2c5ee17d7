package controlplane

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

func TestCertificateRenewal(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	issue := func(at time.Time) []byte {
		t.Helper()
		_, pem, err := ensureCertificate(dir, at)
		if err != nil {
			t.Fatal(err)
		}
		return pem
	}
	first := issue(now)
	if !bytes.Equal(issue(now.Add(9*365*24*time.Hour)), first) {
		t.Error("a certificate that is valid for another year was replaced")
	}
	soon := now.Add(certificateLife - renewBefore + time.Hour)
	second := issue(soon)
	if bytes.Equal(second, first) {
		t.Error("a certificate that expires within a month was kept")
	}
	if err := os.WriteFile(filepath.Join(dir, filename.Certificate), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	third := issue(soon)
	if err := os.Remove(filepath.Join(dir, filename.Key)); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(issue(soon), third) {
		t.Error("a certificate without its key was kept")
	}
}

func TestTokenIsReused(t *testing.T) {
	dir := t.TempDir()
	first, err := ensureToken(dir, RoleAdmin)
	if err != nil || len(first) < minToken {
		t.Fatalf("token %q: %v", first, err)
	}
	if second, err := ensureToken(dir, RoleAdmin); err != nil || second != first {
		t.Errorf("token %q became %q: %v", first, second, err)
	}
	if err := os.WriteFile(filepath.Join(dir, filename.Token), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if third, err := ensureToken(dir, RoleAdmin); err != nil || third == first || len(third) < minToken {
		t.Errorf("an empty token became %q: %v", third, err)
	}
}
