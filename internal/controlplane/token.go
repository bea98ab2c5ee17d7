package controlplane

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// minToken is the minimum length of a token that is read from disk, in characters. A
// token of rand.Text is longer: 26 characters, or 130 bits.
const minToken = 20

// ensureToken returns the bearer token of [AdminUser], and creates it if needed.
func ensureToken(dir string) (string, error) {
	path := filepath.Join(dir, filename.Token)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the API token: %w", err)
	}
	if token := strings.TrimSpace(string(data)); len(token) >= minToken {
		return token, os.Chmod(path, 0o600)
	}
	token := rand.Text()
	return token, writePrivate(path, []byte(token+"\n"))
}
