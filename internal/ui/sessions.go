package ui

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// idleLimit is the time from the last request of a session until its end. An open
	// socket counts as a request.
	idleLimit = 12 * time.Hour
	// saveInterval is the time after which the last use of a session is saved again.
	saveInterval = 30 * time.Minute
	// maxSessions limits the sessions. A further one ends the one that was not used for
	// the longest time.
	maxSessions = 64
)

// errSessionEnded is the cause of the end of a request whose session has ended.
var errSessionEnded = errors.New("the session has ended")

// session is one login of a browser.
type session struct {
	digest digest
	// ended ends with the session.
	ended context.Context
	end   context.CancelFunc
	// The mutex of sessions guards these: the last use, what of it was saved, and the
	// number of requests that are being served.
	used, saved time.Time
	open        int
}

// sessions has the sessions of all browsers. Its methods may be called concurrently.
type sessions struct {
	logger *slog.Logger
	file   sessionFile

	mutex sync.Mutex
	all   map[digest]*session
}

// loadSessions returns the sessions that were saved in a file.
func loadSessions(file sessionFile, logger *slog.Logger) *sessions {
	s := &sessions{logger: logger, file: file, all: map[digest]*session{}}
	saved, err := file.load()
	if err != nil {
		logger.Warn("the sessions of the page could not be read; log in again with 'rdd ui'", slog.Any("err", err))
	}
	for d, used := range saved {
		s.add(d, used)
	}
	return s
}

func (s *sessions) add(d digest, used time.Time) {
	ended, end := context.WithCancel(context.Background())
	s.all[d] = &session{digest: d, ended: ended, end: end, used: used, saved: used}
}

// create returns the secret of a new session.
func (s *sessions) create() string {
	secret := newSecret()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.prune(maxSessions - 1)
	s.add(digestOf(secret), time.Now())
	s.save()
	return secret
}

// use returns the session of a secret for one request, until done is called; nil if the
// secret is not valid.
func (s *sessions) use(secret string) (found *session, done func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found = s.all[digestOf(secret)]
	if found == nil {
		return nil, nil
	}
	if found.isIdle() {
		s.prune(maxSessions)
		s.save()
		return nil, nil
	}
	found.open++
	s.touched(found)
	return found, func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		found.open--
		s.touched(found)
	}
}

// touch records that a session is in use.
func (s *sessions) touch(used *session) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.touched(used)
}

func (s *sessions) touched(used *session) {
	used.used = time.Now()
	if used.used.Sub(used.saved) >= saveInterval && s.all[used.digest] == used {
		s.save()
	}
}

// isIdle reports whether a session has ended, because it was not used.
func (s *session) isIdle() bool { return s.open == 0 && time.Since(s.used) >= idleLimit }

// prune ends idle sessions, and more of them until at most limit are left.
func (s *sessions) prune(limit int) {
	for {
		var oldest *session
		for d, one := range s.all {
			if one.isIdle() {
				one.end()
				delete(s.all, d)
			} else if oldest == nil || one.used.Before(oldest.used) {
				oldest = one
			}
		}
		if len(s.all) <= limit {
			return
		}
		oldest.end()
		delete(s.all, oldest.digest)
	}
}

// revoke ends all sessions, and returns their number. The error is that of the file: the
// sessions have ended, but a restart of the daemon would bring them back.
func (s *sessions) revoke() (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	count := len(s.all)
	for d, one := range s.all {
		one.end()
		delete(s.all, d)
	}
	return count, s.file.remove()
}

// save writes the sessions to the file. Without the file they end with the daemon.
func (s *sessions) save() {
	used := map[digest]time.Time{}
	for d, one := range s.all {
		used[d], one.saved = one.used, one.used
	}
	if err := s.file.save(used); err != nil {
		s.logger.Warn("the sessions of the page could not be saved; they end with the daemon", slog.Any("err", err))
	}
}
