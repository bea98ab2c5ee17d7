// Package registry is the daemon's own way to the mirrors: typed, in process,
// and with a create that carries the status.
//
// Clients reach the mirrors as custom resources, over HTTP. For the one writer
// that makes and keeps up all of them that way is dear: each write goes through
// a client's encoder, the server's filters, decoding, coercion to the schema,
// validation and the merge of managed fields, all of which costs about ten
// times what storing the object does, and a create that may not carry a status
// makes it two writes. So the daemon writes to the same keys of the same
// datastore, through the same [k8s.io/apiserver/pkg/registry/generic/registry]
// and its rules for metadata, conflicts, finalizers and deletion. What it writes
// follows the schema because the Go types do, which a test holds against the
// definitions that are served.
//
// Only what the daemon may do can be said here: it writes status and its own
// finalizer, and never what a user wishes.
package registry
