package controlplane

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// minToken is the minimum length of a token that is read from disk, in characters. A
// token of rand.Text is longer: 26 characters, or 130 bits.
const minToken = 20

// Role is what the holder of a token may do.
type Role string

// The roles. The holder of the token for RoleAdmin is [AdminUser], who may do
// everything. That of RoleReadOnly is [ReadOnlyUser].
const (
	RoleAdmin    Role = "admin"
	RoleReadOnly Role = "read-only"
)

func roles() []Role { return []Role{RoleAdmin, RoleReadOnly} }

// file returns the name of the token's file in TLSDir.
func (r Role) file() string {
	if r == RoleReadOnly {
		return filename.ReadOnlyToken
	}
	return filename.Token
}

func (r Role) user() user.Info {
	if r == RoleReadOnly {
		return &user.DefaultInfo{Name: ReadOnlyUser, Groups: []string{user.AllAuthenticated}}
	}
	return privileged(AdminUser)
}

// TokenPath returns the path of a role's token in the directory TLSDir. The file has
// mode 0600.
func TokenPath(dir string, role Role) string { return filepath.Join(dir, role.file()) }

// ReplaceToken writes a new token of a role in the directory TLSDir and returns it. No
// control plane may run; a running one replaces its tokens itself, see [Server].
func ReplaceToken(dir string, role Role) (string, error) {
	token := rand.Text()
	return token, writePrivate(TokenPath(dir, role), []byte(token+"\n"))
}

// ensureToken returns the token of a role, and creates it if needed.
func ensureToken(dir string, role Role) (string, error) {
	path := TokenPath(dir, role)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the API token: %w", err)
	}
	if token := strings.TrimSpace(string(data)); len(token) >= minToken {
		return token, os.Chmod(path, 0o600)
	}
	return ReplaceToken(dir, role)
}

// tokenHolder is the user of a request with a token.
type tokenHolder struct {
	user.Info

	token string
	// revoked is closed when the token is replaced.
	revoked chan struct{}
}

func newTokenHolder(role Role, token string) *tokenHolder {
	return &tokenHolder{Info: role.user(), token: token, revoked: make(chan struct{})}
}

// tokens has the valid tokens. Its methods may be called concurrently.
type tokens struct {
	mutex   sync.RWMutex
	holders map[Role]*tokenHolder
}

// ensureTokens reads the tokens in a directory, and creates missing ones.
func ensureTokens(dir string) (*tokens, error) {
	t := &tokens{holders: map[Role]*tokenHolder{}}
	for _, role := range roles() {
		token, err := ensureToken(dir, role)
		if err != nil {
			return nil, err
		}
		t.holders[role] = newTokenHolder(role, token)
	}
	return t, nil
}

// holderOf returns the holder of a token, or nil if the token is not valid.
func (t *tokens) holderOf(token string) *tokenHolder {
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	var found *tokenHolder
	for _, holder := range t.holders {
		if subtle.ConstantTimeCompare([]byte(token), []byte(holder.token)) == 1 {
			found = holder
		}
	}
	return found
}

// of returns the token of a role.
func (t *tokens) of(role Role) string {
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	return t.holders[role].token
}

// replace makes the token of a role invalid and creates another one. publish gets the
// new token before it becomes valid. If publish fails, the former token stays valid.
func (t *tokens) replace(dir string, role Role, publish func(token string) error) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	former := t.holders[role]
	token, err := ReplaceToken(dir, role)
	if err != nil {
		return err
	}
	if err := publish(token); err != nil {
		return errors.Join(err, writePrivate(TokenPath(dir, role), []byte(former.token+"\n")))
	}
	t.holders[role] = newTokenHolder(role, token)
	close(former.revoked)
	return nil
}
