// Package kube is how actors reach the API server: a client for the App, and
// informers that hand each change of the App or a mirror to one function. It
// knows nothing of actors.
package kube
