//go:build !darwin || !cgo

package lima

// hasVZ reports whether this program can run a VM in Apple's Virtualization framework,
// which is on macOS only, and is reached through cgo only.
const hasVZ = false
