package kube

import "k8s.io/apimachinery/pkg/runtime"

// Recorder records events of resources, which clients find in 'kubectl describe'. Its
// method does not block, and may be called concurrently.
type Recorder interface {
	// Event records an event of an object. eventType is Normal or Warning, and reason
	// one word in camel case. An equal event that was recorded before is counted.
	Event(object runtime.Object, eventType, reason, message string)
}

// NoEvents is a Recorder that records nothing.
type NoEvents struct{}

var _ Recorder = NoEvents{}

// Event implements [Recorder].
func (NoEvents) Event(runtime.Object, string, string, string) {}
