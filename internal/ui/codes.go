package ui

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

const (
	// codeLifetime is how long a code can be used for a login.
	codeLifetime = 30 * time.Second
	// maxCodes limits the codes that wait for a login. A further one replaces the oldest.
	maxCodes = 32
	// secretBytes is the length of codes and of sessions: 256 bits.
	secretBytes = 32
)

// digest identifies a secret, which is not kept itself.
type digest [sha256.Size]byte

func digestOf(secret string) digest { return sha256.Sum256([]byte(secret)) }

// newSecret returns a random secret for a URL or a cookie.
func newSecret() string {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// codes has the codes for logins. Each can be used once. Its methods may be called
// concurrently.
type codes struct {
	mutex  sync.Mutex
	ending map[digest]time.Time
}

// create returns a new code.
func (c *codes) create() string {
	code := newSecret()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.ending == nil {
		c.ending = map[digest]time.Time{}
	}
	c.prune()
	c.ending[digestOf(code)] = time.Now().Add(codeLifetime)
	return code
}

// prune removes expired codes, and the oldest ones if there are too many.
func (c *codes) prune() {
	for {
		var oldest digest
		var ends time.Time
		for d, end := range c.ending {
			if !time.Now().Before(end) {
				delete(c.ending, d)
			} else if ends.IsZero() || end.Before(ends) {
				oldest, ends = d, end
			}
		}
		if len(c.ending) < maxCodes {
			return
		}
		delete(c.ending, oldest)
	}
}

// redeem reports whether a code is valid. It is not valid afterwards.
func (c *codes) redeem(code string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	d := digestOf(code)
	end, found := c.ending[d]
	delete(c.ending, d)
	return found && time.Now().Before(end)
}

// revoke makes all codes invalid.
func (c *codes) revoke() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	clear(c.ending)
}
