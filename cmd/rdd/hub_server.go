package main

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"k8s.io/client-go/rest"
)

// serverFlags select the API server in a join file. A machine may reach it by another URL
// than an administrator, who may use a tunnel or a bastion host.
type serverFlags struct {
	Server               string `help:"URL of the hub in the join file, as machines reach it. Default: that in the kubeconfig." placeholder:"URL"`
	CertificateAuthority string `help:"File with the PEM certificates by which machines verify the hub. Default: those in the kubeconfig." placeholder:"FILE" predictor:"file"`
}

// check returns an error for flags that are not valid, and the certificates of the file.
func (f serverFlags) check() (authority []byte, err error) {
	if f.Server != "" {
		if err := checkServerURL(f.Server); err != nil {
			return nil, err
		}
	}
	if f.CertificateAuthority == "" {
		return nil, nil
	}
	if authority, err = os.ReadFile(f.CertificateAuthority); err != nil {
		return nil, &usageError{fmt.Sprintf("--certificate-authority: %v", err)}
	}
	if !x509.NewCertPool().AppendCertsFromPEM(authority) {
		return nil, &usageError{fmt.Sprintf("--certificate-authority: %s has no certificate in PEM format", f.CertificateAuthority)}
	}
	return authority, nil
}

// server returns the configuration of the server for a join file. Without flags it is that of
// the administrator. authority is the result of check.
func (f serverFlags) server(admin *rest.Config, authority []byte) *rest.Config {
	config := rest.AnonymousClientConfig(admin)
	if f.Server != "" {
		config.Host, config.APIPath = f.Server, ""
		config.ServerName = "" // of the certificate at the administrator's URL
	}
	if authority != nil {
		config.CAData, config.CAFile, config.Insecure = authority, "", false
	}
	return config
}

// checkServerURL refuses what no machine can join. A token must not be sent in clear text.
func checkServerURL(server string) error {
	parsed, err := url.Parse(server)
	if err != nil || parsed.Scheme != "https" || parsed.Hostname() == "" || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		return &usageError{fmt.Sprintf("--server=%s is not the URL of an API server: use one as https://hub.example.com:6443", server)}
	}
	return nil
}

// isLoopback reports whether a server can be reached from its own machine only.
func isLoopback(server string) bool {
	parsed, err := url.Parse(server)
	if err != nil {
		return false
	}
	host := parsed.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}
