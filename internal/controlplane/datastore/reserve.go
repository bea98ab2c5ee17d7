package datastore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/klog/v2"
)

const (
	// reserveAhead is how many revisions are reserved at a time: as many as the
	// clock counts in a second.
	reserveAhead = 1_000_000
	// maxReserved bounds what is believed of a file: a higher number is damage, and
	// JavaScript could not count on from there.
	maxReserved = 1 << 53
)

// reservation remembers, in a file outside of the datastore's directory, up to
// where revisions may have been used. It survives a reset, so that revisions grow
// even when the clock was set back.
type reservation struct {
	path string
	upTo int64
}

// readReservation returns what is reserved: nothing when the file is missing or
// damaged, since the clock is enough as long as nobody sets it back.
func readReservation(path string) *reservation {
	r := &reservation{path: path}
	text, err := os.ReadFile(path)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			klog.Warningf("read the last revision of the datastore: %v", err)
		}
		return r
	}
	upTo, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || upTo < 0 || upTo > maxReserved {
		klog.Warningf("the last revision of the datastore in %s is not a revision: %.40q", path, text)
		return r
	}
	r.upTo = upTo
	return r
}

// reserve makes sure that a revision is reserved before it is used. A failure costs
// nothing but the protection against a clock that is set back, so it is only logged.
func (r *reservation) reserve(revision int64) {
	if revision <= r.upTo {
		return
	}
	r.upTo = revision + reserveAhead
	if err := r.save(); err != nil {
		klog.Warningf("remember the last revision of the datastore: %v; if the clock is set back before a reset, clients may keep what is gone", err)
	}
}

func (r *reservation) save() (err error) {
	temp, err := os.CreateTemp(filepath.Dir(r.path), "."+filepath.Base(r.path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", r.path, err)
	}
	_, err = fmt.Fprintln(temp, r.upTo)
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), r.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", r.path, err), os.Remove(temp.Name()))
	}
	return nil
}
