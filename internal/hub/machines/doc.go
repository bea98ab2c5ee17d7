// Package machines adds machines to a hub, lists them, and removes them. A machine has a
// namespace of its own with the same name, into which it mirrors its engine.
//
// Reading map: add.go adds a machine, with the objects in objects.go and its quota in
// quota.go, and joinfile.go creates the file with which the machine joins. list.go lists
// the machines, by the clock of the hub, which clock.go reads. remove.go removes a machine,
// and release.go releases its mirrors. empty.go deletes the mirrors of a machine that stays.
// walk.go goes through the mirrors of a machine for both. names.go checks names.
package machines
