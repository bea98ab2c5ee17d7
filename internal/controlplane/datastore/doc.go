// Package datastore keeps the API server's objects in one SQLite file, as a log
// of revisions, in the daemon's own process.
//
// The API server's etcd3 storage talks to an interface of five operations. The
// datastore implements it directly, without the etcd protocol: no socket, no gRPC,
// no second encoding of each object. A [Store] provides storage for the API
// server's registries ([Store.RESTOptions]).
//
// The log is the source of truth. No other process writes to it, so the latest
// value of each key is kept in memory, in the encoding of the log (some kilobytes
// per object). One goroutine makes all changes and publishes them to the watches.
// So a read queries SQLite only for history, a watch does not poll, and concurrent
// writes share a commit. An event is decoded once for all watches of a resource,
// and encoded once for all their clients.
//
// An acknowledged write survives kill -9 at any moment: SQLite hands every committed
// transaction to the kernel. What a user has written, and the record that it was carried out,
// survive a power cut, too: their commits wait until the write-ahead log is on the disk
// (synchronous=FULL). All other writes of the daemon describe the engine and are derived from
// it, so they do not wait (synchronous=NORMAL). A power cut may lose the last of them, but
// never corrupts the file.
//
// Reading map:
//
//	storage.go       storage for the API server's registries
//	operations.go    the five operations that etcd3 storage calls
//	reader.go        the rest of etcd's client, of which only Get is used
//	store.go         the store: opening and closing
//	read.go          reads, from memory or from history
//	write.go         a write: submitting it and waiting for its outcome
//	commit.go        the goroutine that commits batches of writes
//	head.go          the latest state, in memory
//	log.go           the SQLite table with one row per change
//	history.go       reading the table: the latest state, past states, past changes
//	compact.go       removing superseded changes
//	durable.go       which writes wait for the disk
//	shrink.go        returning unused space to the file system
//	checkpoint.go    emptying SQLite's write-ahead log
//	maintain.go      the schedule of both
//	memory.go        a store without a file, for objects that need not survive
//	memorylog.go     its changes
//	expiry.go        its limits: removing the oldest objects
//	epoch.go         the first revision of each opening
//	reservation.go   the file of revisions that may be in use
//	subscription.go  the events that a watch has yet to read
//	pace.go          how often a watch is woken in a burst
//	stream.go        a watch of a resource
//	watchstorage.go  the storage that makes these watches
//	event.go         an event, decoded once for all watches
//	cachedobject.go  an object, encoded once for all clients
//	encodings.go     which clients receive what is stored
//	check.go         checks before the first use of the file
//	inspect.go       read-only checks before them
//	integrity.go     the check of the whole file, for rdd doctor
//	ballast.go       space that is set aside for a full disk
//	errors.go        errors that name the file and the next step
//	metrics.go       metrics
package datastore
