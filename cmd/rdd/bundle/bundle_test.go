package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/doctor"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// subject returns a new instance without a daemon.
func subject(t *testing.T) Subject {
	t.Helper()
	inst := instancetest.Create(t, "sup")
	return Subject{
		Target: doctor.Target{
			Instance: inst, Version: "v1", VM: limahost.Paths{LimaHome: inst.LimaHome, LogDir: inst.LogDir},
			Status: func(context.Context) (lifecycle.Status, error) {
				return lifecycle.Status{State: lifecycle.StateStopped}, nil
			},
		},
		Environment: []string{"HOME=" + os.Getenv("HOME"), "PATH=/bin"},
	}
}

// pack writes a bundle and unpacks it.
func pack(t *testing.T, s Subject) (map[string]string, Manifest) {
	t.Helper()
	var b bytes.Buffer
	manifest, err := Write(t.Context(), s, &b)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(zip); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, manifest
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(header.Name, "/")
		files[name] = string(text)
	}
}

// Row S6.
func TestBundleIsCompleteWithoutDaemon(t *testing.T) {
	s := subject(t)
	long := strings.Repeat("a line of a long log\n", 100_000)
	for _, name := range []string{"rdd.log", "rdd-2026-01-01T00-00-00.000.log", "dockerd.log", "hostagent.log"} {
		testkit.WriteFile(t, filepath.Join(s.Instance.LogDir, name), long)
	}
	testkit.WriteFile(t, s.Instance.ArgsFile, `{"port":1}`)
	testkit.WriteFile(t, filepath.Join(s.VM.Dir(), "serial.log"), "boot\n")
	testkit.WriteFile(t, filepath.Join(s.VM.Dir(), "diffdisk"), "not this\n")
	files, manifest := pack(t, s)
	for name, want := range map[string]string{
		"logs/rdd.log": long, "logs/rdd-2026-01-01T00-00-00.000.log": long, "logs/dockerd.log": long,
		"logs/hostagent.log": long, "args.json": `{"port":1}`, "vm/rdd/serial.log": "boot\n",
	} {
		if files[name] != want {
			t.Errorf("%s has %d bytes, want %d", name, len(files[name]), len(want))
		}
	}
	for _, name := range []string{"doctor.json", "status.json", "host.txt", "disk.txt", "files.txt", "versions.txt", "environment.txt", "manifest.json"} {
		if files[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if files["vm/rdd/diffdisk"] != "" {
		t.Error("the bundle has a disk")
	}
	missing := map[string]string{}
	for _, entry := range manifest.Missing() {
		missing[entry.Name] = entry.Error
	}
	for _, name := range []string{"daemon/goroutines.txt", "resources/containers.json", "engine/version.json", "run.json"} {
		if missing[name] == "" {
			t.Errorf("no reason why %s is missing", name)
		}
	}
	var written Manifest
	if err := json.Unmarshal([]byte(files["manifest.json"]), &written); err != nil || len(written.Entries) != len(manifest.Entries) {
		t.Errorf("the manifest in the bundle: %v", err)
	}
}

func TestLargeFileIsCutAtItsBeginning(t *testing.T) {
	s := subject(t)
	path := filepath.Join(s.Instance.LogDir, "dockerd.log")
	testkit.WriteFile(t, path, "")
	const beyond = 12345
	if err := os.Truncate(path, MaxFile+beyond-5); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("last\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	files, manifest := pack(t, s)
	if got := files["logs/dockerd.log"]; len(got) != MaxFile || !strings.HasSuffix(got, "last\n") {
		t.Errorf("%d bytes are left, want %d", len(got), MaxFile)
	}
	for _, entry := range manifest.Entries {
		if entry.Name == "logs/dockerd.log" && entry.Cut != beyond {
			t.Errorf("the manifest says that %d bytes were cut", entry.Cut)
		}
	}
}

// Known secrets are written to every file of the instance. None may be in the bundle.
func TestBundleHasNoKnownSecret(t *testing.T) {
	s := subject(t)
	secrets := map[string]string{
		"token": "TOKENTOKENTOKENTOKENTOKEN1", "password": "registry-passw0rd", "environment": "env-value-zzz",
		"key": strings.Repeat("KEYKEYKEYKEY", 5), "kubeconfig": "KUBECONFIGTOKEN1234",
		"hub token": "HUBTOKENHUBTOKEN1234",
	}
	auth := base64.StdEncoding.EncodeToString([]byte("me:" + secrets["password"]))
	secrets["auth"] = auth
	testkit.WriteFile(t, filepath.Join(s.Instance.TLSDir, "token"), secrets["token"]+"\n")
	testkit.WriteFile(t, filepath.Join(s.Instance.TLSDir, "hub.token.1"), secrets["hub token"])
	testkit.WriteFile(t, filepath.Join(s.Instance.TLSDir, "tls.key"), "-----BEGIN EC PRIVATE KEY-----\n"+secrets["key"]+"\n-----END EC PRIVATE KEY-----\n")
	testkit.WriteFile(t, s.Instance.Config, fmt.Sprintf("apiVersion: v1\nkind: Config\nusers: [{name: a, user: {token: %s}}]\n", secrets["kubeconfig"]))
	testkit.WriteFile(t, filepath.Join(os.Getenv("HOME"), ".docker", "config.json"), fmt.Sprintf(`{"auths":{"r":{"auth":%q}}}`, auth))
	s.Environment = append(s.Environment, "DOCKER_HUB_TOKEN="+secrets["environment"], "RDD_SECRET="+secrets["environment"])
	var everywhere strings.Builder
	for _, secret := range secrets {
		fmt.Fprintf(&everywhere, "it wrote %s into a log, and %s\n", secret, base64.StdEncoding.EncodeToString([]byte(secret)))
	}
	testkit.WriteFile(t, filepath.Join(s.Instance.LogDir, "rdd.log"), everywhere.String())
	testkit.WriteFile(t, filepath.Join(s.VM.Dir(), "serial.log"), everywhere.String())
	testkit.WriteFile(t, s.Instance.ArgsFile, everywhere.String())
	testkit.WriteFile(t, filepath.Join(s.Instance.LogDir, secrets["token"]), "a file's name")
	files, _ := pack(t, s)
	if !strings.Contains(files["logs/rdd.log"], "it wrote REDACTED into a log, and REDACTED") {
		t.Errorf("the rest of the log is gone: %s", files["logs/rdd.log"])
	}
	for name, text := range files {
		for what, secret := range secrets {
			if strings.Contains(text, secret) || strings.Contains(name, secret) {
				t.Errorf("%s has the %s", name, what)
			}
		}
	}
}

func TestHungPartIsAbandoned(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := collect(ctx, part{"x", func(context.Context) ([]byte, error) { <-hang; return nil, nil }})
	if c.err == nil || c.name != "x" {
		t.Errorf("got %+v", c)
	}
}

func TestWriteFileIsAtomic(t *testing.T) {
	s := subject(t)
	path := filepath.Join(t.TempDir(), "b.tar.gz")
	if _, err := WriteFile(t.Context(), s, path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := WriteFile(t.Context(), s, filepath.Join(path, "no", "such")); err == nil || !strings.Contains(err.Error(), "support-bundle FILE") {
		t.Errorf("a path below a file: %v", err)
	}
}
