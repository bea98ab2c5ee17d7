package datastore

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"k8s.io/klog/v2"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

const (
	// reserveAhead is how many revisions are reserved at a time: the microseconds of
	// one second.
	reserveAhead = 1_000_000
	// maxReserved is the highest number that is accepted from a file. A higher one
	// means damage, and exceeds JavaScript's exact integers.
	maxReserved = 1 << 53
)

// reservation records, in a file outside of the datastore's directory, the highest
// revision that may be in use. It survives a reset, so revisions grow even after the
// clock was set back.
type reservation struct {
	path string
	upTo int64
}

// readReservation reads the reservation. Nothing is reserved when the file is missing
// or damaged: the clock is enough unless it was set back.
func readReservation(path string) *reservation {
	r := &reservation{path: path}
	text, err := os.ReadFile(path)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			klog.Warningf("read the reserved revision of the datastore: %v", err)
		}
		return r
	}
	upTo, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || upTo < 0 || upTo > maxReserved {
		klog.Warningf("ignore the reserved revision of the datastore in %s: %.40q is not a revision", path, text)
		return r
	}
	r.upTo = upTo
	return r
}

// reserve reserves a revision before it is used. A failure only costs the protection
// against a clock that is set back, so it is logged and not returned.
func (r *reservation) reserve(revision int64) {
	if revision <= r.upTo {
		return
	}
	r.upTo = revision + reserveAhead
	if err := r.save(); err != nil {
		klog.Warningf("reserve revisions of the datastore in %s: %v: if the clock is set back before a reset, clients may keep deleted objects", r.path, err)
	}
}

func (r *reservation) save() error {
	return instance.ReplaceFile(r.path, []byte(strconv.FormatInt(r.upTo, 10)+"\n"))
}
