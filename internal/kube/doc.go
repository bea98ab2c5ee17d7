// Package kube connects actors to the API server. It has a client for the App, and
// informers of the App and the mirrors. Each actor subscribes to the informers by
// itself. The package does not depend on actors.
//
// Reading map: client.go reads and writes the App, informers.go keeps the informers
// running, subscription.go delivers their objects, mapper.go replaces discovery,
// recorder.go records events of resources.
package kube
