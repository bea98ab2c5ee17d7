// Package cluster is a simulated API server: the App, the mirrors and the
// namespaces in memory, with the semantics that rdd depends on. Revisions,
// generations, conflicts, preconditions on UIDs, finalizers and deletion follow
// the API server's; so does how an informer follows them: in order for each
// kind, late, and after a broken watch by a new list, in which what went and
// came back meanwhile is a single change.
//
// It has no HTTP and no datastore, which do not belong on virtual time.
//
// Reading map: store.go holds the objects and their history; user.go is what
// users do to them; client.go is what the daemon does; follow.go delivers
// changes to its actors.
package cluster
