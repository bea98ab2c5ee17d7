// Package cluster is a simulated API server: the App, the mirrors, the
// requests and the namespaces in memory, with the semantics that rdd depends on. Revisions,
// generations, conflicts, preconditions on UIDs, finalizers and deletion follow
// the API server's. So do informers: they deliver the changes of a kind in order and
// late, and list again after a broken watch. Then an object that was removed and
// created meanwhile is a single change.
//
// There is no HTTP and no datastore: neither works in virtual time.
//
// Reading map: store.go holds the objects and their history, tx.go serves requests of other
// packages, managed.go has the managed fields of a hub. user.go has the changes by
// users, client.go those by the daemon, requests.go both for requests. follow.go delivers changes to its actors.
package cluster
