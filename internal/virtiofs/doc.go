// Package virtiofs serves directories of the host to the guest of a QEMU.
//
// QEMU connects to a Unix socket for each directory and speaks the vhost-user protocol:
// it passes the guest's memory, and the queues in which the guest puts requests of FUSE.
// go-fuse decodes the requests. This package has the protocol, and a file system which
// differs from virtiofsd's in three points:
//
//   - It needs no root, no user namespace and no other program. Every file that the guest
//     creates belongs to the user. In the guest, the user's files belong to GuestUser.
//   - A directory that is not writable is so on the host. Root in the guest cannot change
//     this.
//   - No path leads out of the directory, and none into a private one. Each name of a path
//     is opened beneath the one before, without symbolic links, which the guest resolves
//     itself.
//
// go-fuse has a server for vhost-user, too. It does not stop a queue, which QEMU requests
// when it pauses the guest, and would wait for without end.
//
// Reading map:
//
//	share.go     the directories to serve
//	serve.go, serve_other.go  the sockets, and the lifetime of the server
//	protocol.go  the messages of vhost-user
//	device.go    what they do
//	queue.go     requests and replies in the guest's memory
//	memory.go    the guest's memory
//	log.go       a log of limited size
//	tree.go      the file system: nodes, and how their paths are resolved
//	file.go      open files
//	entries.go   operations on the entries of a directory
//	private.go   directories that the guest cannot reach
//	attr.go      attributes and owners
package virtiofs
