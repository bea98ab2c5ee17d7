package home

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serveFrom returns a server whose certificate is valid for a day from a time on, and a
// transport that trusts it.
func serveFrom(t *testing.T, begin time.Time) (*httptest.Server, *http.Transport) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: begin, NotAfter: begin.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return server, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}
}

// Row H6: a certificate that is invalid because of a wrong clock is named with the clock.
func TestInvalidCertificateNamesClock(t *testing.T) {
	for name, test := range map[string]struct {
		begin time.Duration
		valid bool
	}{
		"valid":              {-time.Hour, true},
		"clock a day late":   {-48 * time.Hour, false},
		"clock a year early": {365 * 24 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			server, transport := serveFrom(t, time.Now().Add(test.begin))
			defer transport.CloseIdleConnections()
			g := &gate{next: transport, closed: func(error) {}}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+containersPath, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := g.RoundTrip(r)
			if err == nil {
				response.Body.Close()
			}
			if test.valid != (err == nil) {
				t.Fatalf("error %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "the clock of this machine shows "+time.Now().Format(time.DateOnly)) {
				t.Errorf("the error does not name the clock: %v", err)
			}
		})
	}
}
