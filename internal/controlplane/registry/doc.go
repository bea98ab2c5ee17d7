// Package registry reads and writes mirrors inside the process, with typed objects. A
// create can contain the status.
//
// Clients use mirrors as custom resources, over HTTP. For the daemon, which writes all
// of them, that is expensive: each write passes a client's encoder, the server's
// filters, decoding, coercion to the schema, validation and the merge of managed
// fields. Together these take about ten times as long as storing the object. Also, a
// create cannot contain the status, which makes two writes of it.
//
// So the daemon writes to the same keys of the same datastore, with
// [k8s.io/apiserver/pkg/registry/generic/registry] and its rules for metadata,
// conflicts, finalizers and deletion. The Go types make objects valid without
// validation; a test compares the types with the served definitions.
//
// The package can write only what the daemon may write: the status, rdd's finalizer, and
// the removal of the annotation that requested an action; never the spec.
package registry
