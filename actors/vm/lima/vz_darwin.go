//go:build cgo

package lima

// hasVZ reports whether this program can run a VM in Apple's Virtualization framework,
// which is reached through cgo only.
const hasVZ = true
