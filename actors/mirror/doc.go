// Package mirror has the actor that stands for one object of the container
// engine. It is the only writer of the object's resource, owns the resource's
// finalizer, and carries out what a user wishes through the resource.
//
// Reading map: decide.go says what to do next, from what is known, as a pure
// function; status.go says how the status should read; actor.go keeps what is
// known and runs one operation at a time; operations.go are the operations.
package mirror
