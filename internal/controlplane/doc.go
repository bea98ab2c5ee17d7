// Package controlplane is a Kubernetes API server in the daemon's own process. It
// stores objects in a SQLite file, serves rdd's custom resources and the built-in
// resources that they need, and accepts clients over TLS with a bearer token.
//
// It is built from the API server's libraries, without the parts that a single user's
// machine does not need: other API groups, webhooks, API aggregation, priority and
// fairness, service accounts, role bindings, watch caches.
//
// # Reading map
//
// Start and stop:
//
//   - options.go: the options; create.go: what exists before the first start
//   - server.go: starting a [Server]; stop.go: serving the network, and stopping
//   - files.go, certificate.go, token.go, kubeconfig.go, listen.go: the files
//
// What is served:
//
//   - apiserver.go: the chain of API servers
//   - coreapi.go, namespacestore.go: the built-in resources
//   - events.go: the events of resources, which the daemon records
//   - openapi.go, openapidocuments.go, discovery.go, version.go: the description of the
//     API
//   - metrics.go: metrics
//   - converters.go: the error of conversion webhooks
//   - crds.go, policies.go: rdd's own definitions and admission policies
//   - seed.go: writing them to the datastore before anything is served
//
// The way of a request:
//
//   - gate.go: limits on connections
//   - handlers.go: the handler chains; authentication.go: the tokens;
//     authorization.go: what their holders may do; rotation.go: replacing them
//   - requestguards.go: checks of requests before they are handled
//   - clientlog.go: the log of changes by clients
//   - slowwatch.go: ending the watches of clients that do not read
//   - admission.go, params.go: admission policies; protect.go: rdd's
//     own policies
//
// In the background:
//
//   - namespaces.go: emptying namespaces that are being deleted
//   - logging.go, loglimiter.go: the logs of the libraries, and fewer repeated lines
//
// The datastore is in package datastore. Package inprocess connects clients of this
// process without a socket, and package registry reads and writes mirrors directly.
package controlplane
