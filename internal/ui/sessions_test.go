package ui

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func newSessions(t *testing.T, dir string) *sessions {
	t.Helper()
	return loadSessions(sessionFileIn(dir), slog.New(slog.DiscardHandler))
}

// isValid uses a session for a short request.
func isValid(s *sessions, secret string) bool {
	found, done := s.use(secret)
	if found == nil {
		return false
	}
	done()
	return true
}

func TestSessionEndsWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(t, t.TempDir())
		secret := s.create()
		for range 3 {
			time.Sleep(idleLimit - 1)
			if !isValid(s, secret) {
				t.Fatal("a session that is used has ended")
			}
		}
		found, done := s.use(secret) // a socket
		time.Sleep(2 * idleLimit)
		if found.ended.Err() != nil || !isValid(s, secret) {
			t.Error("a session with an open socket has ended")
		}
		done()
		time.Sleep(idleLimit)
		if isValid(s, secret) || found.ended.Err() == nil {
			t.Error("an idle session is valid")
		}
	})
}

func TestSessionsSurviveRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := newSessions(t, dir)
		secret, idle := s.create(), s.create()
		time.Sleep(idleLimit - saveInterval)
		if !isValid(s, secret) {
			t.Fatal("the session has ended")
		}
		time.Sleep(saveInterval)
		restarted := newSessions(t, dir)
		if !isValid(restarted, secret) {
			t.Error("a session ended with the daemon")
		}
		if isValid(restarted, idle) {
			t.Error("an idle session became valid again")
		}
	})
}

func TestSessionFileHasNoSecrets(t *testing.T) {
	dir := t.TempDir()
	s := newSessions(t, dir)
	secret := s.create()
	text, err := os.ReadFile(s.file.path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(s.file.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v: %v", info.Mode(), err)
	}
	if bytes.Contains(text, []byte(secret)) {
		t.Error("the file has the secret of a session")
	}
	for d := range s.all {
		for _, text := range []string{string(d[:]), hex.EncodeToString(d[:])} {
			if isValid(s, text) {
				t.Error("a digest is a valid secret")
			}
		}
	}
}

func TestDamagedSessionFileIgnored(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON": "x", "empty": "", "no list": `{"digest":"00"}`, "wrong digest": `[{"digest":"zz"},{"digest":"00"}]`,
		"used in the future": `[{"digest":"` + strings.Repeat("00", 32) + `","used":"2999-01-01T00:00:00Z"}]`,
		"never used":         `[{"digest":"` + strings.Repeat("00", 32) + `"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(sessionFileIn(dir).path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := newSessions(t, dir)
			if len(s.all) != 0 {
				t.Errorf("the file has %d sessions", len(s.all))
			}
			if secret := s.create(); !isValid(newSessions(t, dir), secret) {
				t.Error("the file was not replaced")
			}
		})
	}
}

func TestRevokeEndsSessions(t *testing.T) {
	dir := t.TempDir()
	s := newSessions(t, dir)
	secret := s.create()
	found, done := s.use(secret)
	count, err := s.revoke()
	if count != 1 || err != nil {
		t.Errorf("revoke = %d, %v", count, err)
	}
	if found.ended.Err() == nil || isValid(s, secret) || isValid(newSessions(t, dir), secret) {
		t.Error("a revoked session is valid")
	}
	done()
	if isValid(newSessions(t, dir), secret) {
		t.Error("the end of a request has saved a revoked session")
	}
}

// readerFunc is an [io.Reader].
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A revoke that begins during a login, after its code was accepted, ends the new session.
func TestRevokeEndsConcurrentLogin(t *testing.T) {
	s := newServer(t.Context(), testConfig(t), 1)
	code := s.codes.create()
	former := rand.Reader
	t.Cleanup(func() { rand.Reader = former })
	revoked := make(chan error, 1)
	rand.Reader = readerFunc(func(p []byte) (int, error) { // for the secret of the session
		rand.Reader = former
		go func() {
			_, err := s.Revoke()
			revoked <- err
		}()
		select {
		case err := <-revoked:
			revoked <- err
		case <-time.After(200 * time.Millisecond): // it waits for the end of the login
		}
		return former.Read(p)
	})
	if _, ok := s.logIn(code); !ok {
		t.Fatal("the login has failed")
	}
	if err := <-revoked; err != nil {
		t.Error(err)
	}
	if count := len(s.sessions.all); count > 0 {
		t.Errorf("%d sessions remain", count)
	}
}

func TestSessionsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(t, t.TempDir())
		first := s.create()
		var last string
		for range maxSessions {
			time.Sleep(time.Nanosecond)
			last = s.create()
		}
		if len(s.all) != maxSessions || isValid(s, first) || !isValid(s, last) {
			t.Errorf("%d sessions; the oldest one did not make room", len(s.all))
		}
	})
}
