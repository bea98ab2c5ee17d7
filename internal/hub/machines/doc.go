// Package machines adds machines to a hub, lists them, and removes them. A machine has a
// namespace of its own with the same name, into which it mirrors its engine.
//
// Reading map: add.go adds a machine, with the objects in objects.go and its quota in
// quota.go, and joinfile.go creates the file with which the machine joins. list.go lists
// the machines. remove.go removes one, and mirrors.go releases its mirrors. empty.go deletes
// the mirrors of a machine that stays. flows.go keeps the flow schemas of the hub, and
// names.go checks names.
package machines
