//go:build !linux

package instance

// watchFile returns a nil channel: the file is checked at intervals only.
func watchFile(string) (changes <-chan struct{}, stop func()) { return nil, func() {} }
