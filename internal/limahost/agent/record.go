package agent

import (
	"fmt"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

// record is what an agent that takes over a machine cannot see of it. It lies
// beside the disk and is gone with it.
type record struct {
	Image              image.Image `json:"image"`
	Note               string      `json:"note,omitempty"`
	Acceleration       string      `json:"acceleration"`
	AccelerationReason string      `json:"accelerationReason"`
	StartedAt          time.Time   `json:"startedAt"`
	// User in the guest.
	User string `json:"user"`
	// Up is whether this machine was ready once: from then on silence is no
	// reason to end it.
	Up bool `json:"up,omitempty"`
	// Booted is whether any machine was, on this disk.
	Booted bool `json:"booted,omitempty"`
}

// loadRecord returns the record. One that is not there is no error.
func loadRecord(p limahost.Paths) (r record, found bool, err error) {
	found, err = limahost.Load(p.Record(), &r)
	return r, found, err
}

func (r record) save(p limahost.Paths) error { return limahost.Save(p.Record(), r) }

// show puts a record on the status.
func (r record) show(s *limahost.Status) {
	s.Image, s.ImageReason, s.Note = r.Image.String(), r.Image.Reason, r.Note
	s.Acceleration, s.AccelerationReason = r.Acceleration, r.AccelerationReason
	s.StartedAt = r.StartedAt
}

func joinNotes(notes []string) string { return strings.Join(notes, "; ") }

// bytes says "1.5 GiB" of a number of bytes.
func bytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, prefix := float64(n), -1
	for value >= unit {
		value /= unit
		prefix++
	}
	text := strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0")
	return text + " " + string("KMGTPE"[prefix]) + "iB"
}
