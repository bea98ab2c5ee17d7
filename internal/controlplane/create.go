package controlplane

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Create creates the missing directories, the certificate and the tokens. [Start] does
// this too.
func Create(opts Options) error {
	opts, err := opts.complete()
	if err != nil {
		return err
	}
	_, err = ensureCredentials(opts)
	return err
}

// credentials authenticate the server and its clients to each other.
type credentials struct {
	certificate tls.Certificate
	// trusted is the PEM with which a client verifies the server.
	trusted []byte
	tokens  *tokens
}

func ensureCredentials(opts Options) (credentials, error) {
	for _, dir := range []string{opts.DataDir, opts.TLSDir} {
		if err := privateDir(dir); err != nil {
			return credentials{}, fmt.Errorf("create a directory of the control plane: %w", err)
		}
	}
	// The kubeconfig may be in a shared directory; the file's own mode protects it.
	if err := os.MkdirAll(filepath.Dir(opts.Kubeconfig), 0o700); err != nil {
		return credentials{}, fmt.Errorf("create the directory of the kubeconfig: %w", err)
	}
	var result credentials
	var err error
	if result.certificate, result.trusted, err = ensureCertificate(opts.TLSDir, time.Now()); err != nil {
		return credentials{}, err
	}
	if result.tokens, err = ensureTokens(opts.TLSDir); err != nil {
		return credentials{}, err
	}
	return result, nil
}
