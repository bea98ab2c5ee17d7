package main

import (
	"encoding/pem"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// A join file has the server that machines reach, with the certificates that verify it, and
// what the administrator's URL needs only where that URL is used.
func TestJoinFileServer(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	path := filepath.Join(t.TempDir(), "ca.crt")
	testkit.WriteFile(t, path, own)
	admin := rest.Config{
		Host: "https://127.0.0.1:6443", BearerToken: "secret",
		TLSClientConfig: rest.TLSClientConfig{CAData: []byte("admin's"), ServerName: "internal"},
	}
	insecure := rest.Config{Host: "https://bastion:6443", TLSClientConfig: rest.TLSClientConfig{Insecure: true}}
	type want struct {
		server, authority, name string
		insecure                bool
	}
	for _, test := range []struct {
		flags serverFlags
		admin rest.Config
		want  want
	}{
		{serverFlags{}, admin, want{"https://127.0.0.1:6443", "admin's", "internal", false}},
		{serverFlags{Server: "https://hub.example.com"}, admin, want{"https://hub.example.com", "admin's", "", false}},
		{serverFlags{Server: "https://hub.example.com/k8s/1", CertificateAuthority: path}, admin, want{"https://hub.example.com/k8s/1", own, "", false}},
		{serverFlags{CertificateAuthority: path}, admin, want{"https://127.0.0.1:6443", own, "internal", false}},
		{serverFlags{Server: "https://hub.example.com"}, insecure, want{"https://hub.example.com", "", "", true}},
		{serverFlags{CertificateAuthority: path}, insecure, want{"https://bastion:6443", own, "", false}},
	} {
		authority, err := test.flags.check()
		if err != nil {
			t.Fatal(err)
		}
		file, err := machines.JoinFile(test.flags.server(&test.admin, authority), &machines.Added{Name: "a", Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		config, err := clientcmd.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		c := config.Clusters["hub"]
		got := want{c.Server, string(c.CertificateAuthorityData), c.TLSServerName, c.InsecureSkipTLSVerify}
		if got != test.want || config.AuthInfos["a"].Token != "t" {
			t.Errorf("%+v: %+v, want %+v", test.flags, got, test.want)
		}
	}
}

func TestLoopbackServers(t *testing.T) {
	for server, want := range map[string]bool{
		"https://127.0.0.1:6443": true, "https://[::1]:6443": true, "https://localhost:6443": true, "https://0.0.0.0": true,
		"https://hub.localhost": true, "https://hub.example.com": false, "https://192.0.2.1:6443": false, "https://localhost.example.com": false,
	} {
		if isLoopback(server) != want {
			t.Errorf("isLoopback(%s) is %v", server, !want)
		}
	}
}
