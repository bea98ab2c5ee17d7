// Package datastore keeps the API server's objects in one SQLite file, through
// kine's log of revisions, in the daemon's own process.
//
// The API server's etcd3 storage talks to an interface of five operations, and
// kine's log answers them. Both live here in one process, so nothing of the
// etcd protocol is needed in between: no socket, no gRPC, no second copy of
// each object. A [Store] hands out storage for the API server's registries
// ([Store.RESTOptions]).
//
// What has been acknowledged survives the end of the process at any moment
// (kill -9): SQLite runs with a write-ahead log and synchronous=NORMAL, which
// leaves every committed transaction with the kernel. A power cut may lose the
// last moments but never leaves a broken file.
package datastore
