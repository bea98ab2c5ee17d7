// Package kube is how actors reach the API server: a client that bounds its
// concurrent writes, and informers that hand each change of an App or a mirror
// to one function. It knows nothing of actors.
package kube
