// Package limahost is what the daemon and the host agent of a Lima VM know of
// each other: where the files are, what the agent is told, and what it tells.
//
// The host agent is rdd itself, started again as `rdd hostagent DIR` in a
// session of its own. It makes the VM from Lima's packages, starts it, and keeps
// the ways into it open: the engine's socket, published ports, the heartbeat of
// the guest. It outlives the daemon, and the VM outlives the agent: a second
// agent takes over a VM that lost its first.
//
// The daemon imports this package and never Lima's: Lima reads the environment
// of its process, logs to a global logger and may end its process, none of which
// belongs into a daemon. What uses Lima is in package agent, below this one.
package limahost
