//go:build linux

package virtiofs

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

const (
	// cacheTime is how long the guest may use attributes and names without a check, so
	// that it sees a change of the host at most that much later.
	cacheTime = time.Second
	// acceptGrace limits the wait for QEMU after the end of the process that starts it.
	acceptGrace = 2 * time.Second
	// maxRequest is the size of the data of a request.
	maxRequest = 1 << 20
	// maxMemory limits the memory of the process, which a guest can fill with nodes that it
	// never forgets. A million nodes take half of it.
	maxMemory = 2 << 30
)

// LimitMemory limits the memory of this process, which ends when it needs more. The memory
// of the guest does not count.
func LimitMemory() error {
	return os.NewSyscallError("setrlimit", unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: maxMemory, Max: maxMemory}))
}

// Serve serves directories to one QEMU, and returns when QEMU has ended. QEMU connects
// after Serve has created all sockets. The end of starter ends Serve too, unless QEMU is
// connected by then, so that Serve does not outlive a process that fails to start QEMU.
//
// Guests cannot reach private directories.
func Serve(shares []Share, private Private, starter io.Reader) error {
	hidden, log := hide(private), newLog(os.Stderr)
	ended := make(chan error, len(shares))
	connected := make(chan struct{}, len(shares))
	var listeners []*net.UnixListener
	for _, share := range shares {
		listener, err := listen(share.Socket)
		if err != nil {
			return fmt.Errorf("share %s: %w", share.Dir, err)
		}
		listeners = append(listeners, listener)
		files, err := newTree(share.Dir, share.Writable, hidden)
		if err != nil {
			return fmt.Errorf("share %s: %w", share.Dir, err)
		}
		go func() { ended <- serveOne(listener, files, log, connected) }()
	}
	for _, share := range shares {
		if err := os.Rename(share.Socket+".new", share.Socket); err != nil {
			return fmt.Errorf("share %s: %w", share.Dir, err)
		}
	}
	// The guest has applied its own umask.
	syscall.Umask(0)
	go func() {
		_, _ = io.Copy(io.Discard, starter)
		for _, listener := range listeners {
			// A connection of QEMU may not have been accepted yet.
			_ = listener.SetDeadline(time.Now().Add(acceptGrace))
		}
	}()
	for range shares {
		select {
		case <-connected:
		case err := <-ended:
			return err
		}
	}
	return <-ended
}

// listen listens at a socket with another name, which is renamed when all are complete.
func listen(socket string) (*net.UnixListener, error) {
	syscall.Umask(0o077)
	name := socket + ".new"
	if err := filetree.Remove(name); err != nil {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	return listener, nil
}

// serveOne serves a directory to the first that connects.
func serveOne(listener *net.UnixListener, files *tree, log *log.Logger, connected chan<- struct{}) error {
	conn, err := listener.AcceptUnix()
	if err != nil {
		return fmt.Errorf("wait for QEMU: %w", err)
	}
	_ = listener.Close()
	defer func() { _ = conn.Close() }()
	connected <- struct{}{}
	return newDevice(handle(files, log), log).serve(conn)
}

// handle returns the handler of a file system's requests.
func handle(files *tree, log *log.Logger) handler {
	timeout := cacheTime
	options := &fs.Options{EntryTimeout: &timeout, AttrTimeout: &timeout, NullPermissions: true}
	options.MountOptions = fuse.MountOptions{
		MaxWrite: maxRequest, DisableXAttrs: true, DisabledCapabilities: fuse.CAP_PASSTHROUGH, Logger: log,
	}
	server := fuse.NewProtocolServer(fs.NewNodeFS(&node{tree: files}, options), &options.MountOptions)
	return func(request, reply [][]byte) int {
		n, _ := server.HandleRequest(request, reply)
		return n
	}
}
