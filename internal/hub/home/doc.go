// Package home accesses the resources of this machine on a hub: a Kubernetes API that
// many machines share, in which each machine has a namespace of its own.
//
// The actors of an engine and of its mirrors work on a hub as they do on the embedded API
// server. What differs is here: a hub can be away, it can refuse, its definitions can be
// of another version, and its administrators can delete the namespace.
//
// Reading map: join.go has the file with which a machine joins, identity.go what
// distinguishes it from other machines, home.go what the actors use of a hub. gate.go
// sends no request while the hub is away, and refusals.go none that it has just refused.
// lease.go holds the Lease, boundlock.go ends its release, and fence.go sends no write without it.
// mapper.go names the resources of the hub, mirrors.go writes mirrors over HTTP, list.go feeds the informers, leaving.go says
// whether the namespace is being deleted, and skew.go what definitions of another version store,
// from the schemas of schema.go. ledger.go records the requests that
// were carried out, machine.go writes the status of the machine, events.go writes events, and
// token.go renews its token.
package home
