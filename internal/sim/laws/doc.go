// Package laws checks a simulated run. Some laws hold at every moment, whatever the
// faults: they check each write, each command to an engine and each published status.
// The others hold after the end of all faults.
//
// The laws know the simulated cluster, the engines and their histories. They know no
// actor: the harness reports the few facts of the tree that a law depends on.
//
// Reading map: laws.go holds the facts. One file has one law: desired.go (no command
// without a request, and each request once), actions.go (an action is carried out
// once, and not forgotten), mirror.go (a mirror has a status that its object had, and is
// removed only for a reason), labels.go (a mirror has the labels of its object and of
// users), settled.go (Settled=True is true), ended.go (an engine that is reported to have
// ended has done so), fresh.go (without faults, mirrors are up to date in seconds), converged.go
// and equal.go (after all faults, mirrors and objects are equal), deletes.go (no
// delete is forgotten), requests.go (each request ends, once, and no object of one is
// there twice), carriedout.go (a complete request was carried out, and only requests cause
// the commands for them), calm.go (nothing is written without a cause, and nothing is
// left at the end), hub.go (what differs on a hub: writes need the Lease, a deleted namespace
// removes no object, and a hub that was restored repeats nothing). refusals.go reads what several laws need from a mirror.
package laws
