package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

const (
	certificateLife = 10 * 365 * 24 * time.Hour
	// renewBefore is how long before its expiry a certificate is replaced.
	renewBefore = 30 * 24 * time.Hour
)

// ensureCertificate returns the server's certificate and the PEM that clients trust,
// which is the certificate itself. It replaces a certificate that cannot be read, does
// not match its key, or expires soon.
func ensureCertificate(dir string, now time.Time) (tls.Certificate, []byte, error) {
	certificate, pemBytes, err := loadCertificate(dir, now)
	if err == nil {
		return certificate, pemBytes, nil
	}
	if err := makeCertificate(dir, now); err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("create the API server's certificate: %w", err)
	}
	return loadCertificate(dir, now)
}

func loadCertificate(dir string, now time.Time) (tls.Certificate, []byte, error) {
	pemBytes, err := os.ReadFile(filepath.Join(dir, filename.Certificate))
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	key, err := os.ReadFile(filepath.Join(dir, filename.Key))
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	certificate, err := tls.X509KeyPair(pemBytes, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	if now.Add(renewBefore).After(certificate.Leaf.NotAfter) || now.Before(certificate.Leaf.NotBefore) {
		return tls.Certificate{}, nil, errors.New("the certificate is not valid now")
	}
	return certificate, pemBytes, nil
}

func makeCertificate(dir string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "rdd"},
		// The clock may be set back by up to an hour.
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // self-signed: clients trust it as its own issuer
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	// The key is written first: a certificate that does not match its key is replaced
	// at the next start.
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	if err := writePrivate(filepath.Join(dir, filename.Key), keyPEM); err != nil {
		return err
	}
	return writePrivate(filepath.Join(dir, filename.Certificate), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
