// Package hub is a simulated hub: a Kubernetes API that a daemon reaches by HTTP requests,
// through a transport that needs no network and works on virtual time. So the client of a
// hub (internal/hub/home) runs in the simulation as it is, with its gate, its fence, its
// election and its informers.
//
// The resources of the machine are those of package cluster. This package adds what only a
// hub has: a namespace that is deleted, a Lease that another machine takes, a connection that
// is lost, and a return to an earlier state.
//
// Reading map: hub.go has the hub and what happens to it, transport.go answers requests,
// route.go finds what a request asks for, mirrors.go serves mirrors and requests,
// watch.go the watches, lease.go the Lease, and admin.go the namespace, the definitions and
// the Machine. virtual.go makes libraries repeatable.
package hub
