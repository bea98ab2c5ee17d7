//go:build !linux

package instance

import "github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"

// Orphans finds none: this system does not say who holds a lock. A daemon notices
// by itself that its pid file is gone, and ends.
func Orphans(string) []process.Process { return nil }
