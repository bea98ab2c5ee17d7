// Package kube is how actors reach the API server: a client for the App, and
// informers of the App and the mirrors, to which each actor subscribes by itself.
// It knows nothing of actors.
//
// Reading map: client.go reads and writes the App, informers.go keeps the informers
// running, subscription.go delivers what they learn, mapper.go replaces discovery.
package kube
