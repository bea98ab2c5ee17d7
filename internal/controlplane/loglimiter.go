package controlplane

import (
	"sync"
	"time"
)

const (
	// repeatFirst and repeatLast are the first and the longest period between two log
	// lines with the same key. The period doubles while lines are recorded.
	repeatFirst = 10 * time.Second
	repeatLast  = 10 * time.Minute
	// repeatKeys limits the number of keys.
	repeatKeys = 1000
)

// logLimiter limits how often lines with the same key are logged: the first at once,
// then one per period with the number of lines. Otherwise lines that another process
// causes, or an endless retry, would displace the history in the rotated logs.
type logLimiter struct {
	mutex sync.Mutex
	keys  map[string]*repeat
}

type repeat struct {
	count  int
	period time.Duration
	log    func(count int)
}

// record calls log, now or later, with the number of calls of record for key since the
// last line.
func (r *logLimiter) record(key string, log func(count int)) {
	if r.suppress(&key, log) {
		return
	}
	time.AfterFunc(repeatFirst, func() { r.expire(key) })
	log(1)
}

// suppress counts a line and reports whether it must not be logged now. It replaces a
// key beyond the limit by the empty one.
func (r *logLimiter) suppress(key *string, log func(count int)) bool {
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

// expire logs the lines of a period at its end.
func (r *logLimiter) expire(key string) {
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
