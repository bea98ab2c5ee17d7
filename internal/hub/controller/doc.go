// Package controller watches the machines of a hub: it marks those that are away, and
// removes their mirrors when they stay away. It calls no engine. Any number of controllers
// may run, in or outside of the cluster, and a leader election selects the one that acts.
//
// A machine holds a Lease while it is connected. Whether the Lease changes is judged by the
// clock of this process alone, since it saw the last change, so a machine with a wrong clock
// is not taken for one that is away. A leader begins without any knowledge, so it waits for
// the full spec.staleAfter before it calls a machine stale.
//
// A machine that is stale gets one write, to its condition Ready. spec.removeAfter later its
// mirrors are removed; its namespace, its Machine and its rights stay, so that it can return
// and write them again. A machine that returns writes its condition itself.
//
// Reading map:
//
//	run.go      what a controller needs, and its leader elections
//	term.go     what a controller does while it leads: informers and workers
//	loop.go     which machine is decided on when
//	decide.go   what follows from the facts about a machine
//	memory.go   what a controller has seen of the Lease of each machine
//	away.go     marks a machine that is away
//	remove.go   removes the mirrors of a machine that stays away
//	remains.go  reports what remains of a deleted Machine
//	warnings.go the log of the libraries
package controller
