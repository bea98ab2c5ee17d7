// Package record saves facts about a machine in a file beside the disk. An agent that
// adopts the machine needs them, and cannot observe them.
package record

import (
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

// Record has facts about a machine: how it was made, and whether it was ready.
type Record struct {
	Image              image.Image `json:"image"`
	Note               string      `json:"note,omitempty"`
	Acceleration       string      `json:"acceleration"`
	AccelerationReason string      `json:"accelerationReason"`
	StartedAt          time.Time   `json:"startedAt"`
	// User is the login in the guest.
	User string `json:"user"`
	// Up reports whether this machine's engine was ever ready. Such a machine is never
	// ended for being silent.
	Up bool `json:"up,omitempty"`
	// Booted reports whether any machine's engine was ever ready on this disk.
	Booted bool `json:"booted,omitempty"`
}

// Load returns the record. A missing one is no error.
func Load(p limahost.Paths) (r Record, found bool, err error) {
	found, err = limahost.Load(p.Record(), &r)
	return r, found, err
}

// Save writes the record.
func (r Record) Save(p limahost.Paths) error { return limahost.Save(p.Record(), r) }

// SetStatus copies the record to a status.
func (r Record) SetStatus(s *limahost.Status) {
	s.Image, s.ImageReason, s.Note = r.Image.String(), r.Image.Reason, r.Note
	s.Acceleration, s.AccelerationReason = r.Acceleration, r.AccelerationReason
	s.StartedAt = r.StartedAt
}
