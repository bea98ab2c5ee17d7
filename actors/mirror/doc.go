// Package mirror has the actor that mirrors one object of the container engine. The
// actor is the only writer of the object's resource, owns the resource's finalizer, and
// applies the spec and the deletion of the resource to the object.
//
// Reading map:
//
//	actor.go       the actor, which runs one operation at a time
//	decide.go      decides what to do next, as a pure function
//	action.go      carries out one action, once
//	status.go      computes the status and its conditions
//	operations.go  the operations
//	done.go        remembers requests that were carried out
//	outcome.go     handles the results of operations
//	failed.go      handles their failures
//	events.go      records events of the resource
package mirror
