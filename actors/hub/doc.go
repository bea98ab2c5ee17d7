// Package hub has the actor that mirrors the engine into a hub: a Kubernetes API that many
// machines share. Below it is a second subtree of an engine: the same actors as for the
// embedded API server, with another writer and namespace. Desired state is applied once per
// generation and then mirrored, so what the other home requests is, to each, a change from
// outside, and needs no rule for conflicts.
//
// The subtree exists only while the hub answers and this machine holds its Lease. While the
// hub is away there is nothing that could retry; only the hub actor probes. After its
// return everything is read again, so no actor compares with what it knew before.
//
// Reading map: config.go has the parts, actor.go the messages, state.go what follows from
// the facts, join.go opens and leaves a hub, probe.go waits for one that is away, follow.go
// starts and stops the subtree, lease.go is the actor of the Lease, machine.go writes the
// status of the machine, and counts.go counts its mirrors.
package hub
