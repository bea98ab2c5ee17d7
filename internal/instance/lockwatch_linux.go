package instance

import (
	"os"
	"sync"
	"syscall"
)

// watchFile returns a channel that gets a value after the file at path was removed,
// replaced or moved, and a function that ends the watch. The kernel reports nothing when
// a directory above the file is moved, or when another machine changes a network file
// system. The channel is nil if the kernel cannot watch the file.
func watchFile(path string) (changes <-chan struct{}, stop func()) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, func() {}
	}
	// A file that is open has no event of its deletion. The number of its links is an
	// attribute.
	const mask = syscall.IN_ATTRIB | syscall.IN_MOVE_SELF | syscall.IN_DELETE_SELF
	if _, err := syscall.InotifyAddWatch(fd, path, mask); err != nil {
		_ = syscall.Close(fd)
		return nil, func() {}
	}
	queue := os.NewFile(uintptr(fd), "inotify") // it does not block, so that Close ends Read
	found := make(chan struct{}, 1)
	var reader sync.WaitGroup
	reader.Go(func() {
		buffer := make([]byte, 4096)
		for {
			if _, err := queue.Read(buffer); err != nil {
				return
			}
			select {
			case found <- struct{}{}:
			default:
			}
		}
	})
	return found, func() {
		_ = queue.Close()
		reader.Wait()
	}
}
