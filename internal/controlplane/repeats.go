package controlplane

import (
	"sync"
	"time"
)

const (
	// repeatFirst and repeatLast bound the time between two log lines about the
	// same matter, which doubles while it continues.
	repeatFirst = 10 * time.Second
	repeatLast  = 10 * time.Minute
	// repeatKeys bounds how many matters are told apart.
	repeatKeys = 1000
)

// repeats bounds how often the same matter is logged: at once when it is new, then
// once in a period with the number of times. What another process can cause, or
// what is retried for ever, would push the history out of the rotated logs.
type repeats struct {
	mutex sync.Mutex
	keys  map[string]*repeat
}

type repeat struct {
	count  int
	period time.Duration
	log    func(count int)
}

// note calls log, now or later, with the number of times that key was noted since
// the last call for it.
func (r *repeats) note(key string, log func(count int)) {
	if r.suppress(&key, log) {
		return
	}
	time.AfterFunc(repeatFirst, func() { r.expire(key) })
	log(1)
}

// suppress counts what is not logged now. It changes a key that is one too many.
func (r *repeats) suppress(key *string, log func(count int)) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.keys == nil {
		r.keys = map[string]*repeat{}
	}
	if r.keys[*key] == nil && len(r.keys) >= repeatKeys {
		*key = ""
	}
	if line := r.keys[*key]; line != nil {
		line.count++
		line.log = log
		return true
	}
	r.keys[*key] = &repeat{period: repeatFirst}
	return false
}

// expire ends a period.
func (r *repeats) expire(key string) {
	r.mutex.Lock()
	line := r.keys[key]
	count, log := line.count, line.log
	if count == 0 {
		delete(r.keys, key)
		r.mutex.Unlock()
		return
	}
	line.count, line.log = 0, nil
	line.period = min(2*line.period, repeatLast)
	time.AfterFunc(line.period, func() { r.expire(key) })
	r.mutex.Unlock()
	log(count)
}
