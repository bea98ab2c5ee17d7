// Package datastore keeps the API server's objects in one SQLite file, as a log
// of revisions, in the daemon's own process.
//
// The API server's etcd3 storage talks to an interface of five operations. They
// are answered here directly, so nothing of the etcd protocol is needed in
// between: no socket, no gRPC, no second encoding of each object. A [Store]
// hands out storage for the API server's registries ([Store.RESTOptions]).
//
// The log is the truth. As no other process writes to it, the latest value of
// each key is kept in memory, in the encoding of the log (some kilobytes for an
// object), and a change is announced to the watches by the one goroutine that
// makes all of them. So a read asks SQLite only for the past, a watch does not
// poll, and what many write at once is committed at once. An event is decoded once
// for all watches of a resource, and encoded once for all their clients.
//
// What has been acknowledged survives the end of the process at any moment
// (kill -9): SQLite runs with a write-ahead log and synchronous=NORMAL, which
// leaves every committed transaction with the kernel. A power cut may lose the
// last moments but never leaves a broken file.
package datastore
