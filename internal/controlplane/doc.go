// Package controlplane is a Kubernetes API server in the daemon's own process:
// a log of revisions in a SQLite file below, the custom resources of rdd and the few
// built-in ones they need above, and TLS with bearer tokens in front.
//
// It is put together from the API server's libraries and leaves out what one
// user's machine has no use for: other API groups, webhooks, API aggregation,
// priority and fairness, service accounts, role bindings, watch caches.
//
// # Reading map
//
//   - options.go, create.go: what a control plane is made from; files.go,
//     certificate.go, token.go, kubeconfig.go: what it leaves on disk
//   - server.go, stop.go: the life of a [Server]
//   - apiserver.go: the chain of servers; coreapi.go: the built-in resources;
//     openapi.go and discovery.go: what clients learn about them
//   - authentication.go, handlers.go: who may ask, and the way of a request
//   - crds.go, policies.go: rdd's own definitions, put into the datastore before
//     anything is served
//   - admission.go: what evaluates the policies; namespaces.go: what empties a
//     namespace that is being deleted
//   - datastore, inprocess, registry: the floor, the way in without a socket, and
//     the daemon's own way to the mirrors
package controlplane
