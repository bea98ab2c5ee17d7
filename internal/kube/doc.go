// Package kube connects actors to the API server. It has a client for the App and
// requests, and informers of the App, the mirrors and requests. Each actor subscribes to
// the informers by itself. The package does not depend on actors.
//
// Reading map: client.go reads and writes the App and requests, informers.go keeps the
// informers running, subscription.go delivers their objects, mapper.go replaces
// discovery, recorder.go records events of resources.
package kube
