//go:build !linux

package instance

import "github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"

// Orphans returns nothing, because this system does not report which process holds a
// lock. A daemon notices the removal of its pid file and ends.
func Orphans(string) []process.Process { return nil }
