package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// HubStatus is the hub that a machine has joined: a Kubernetes API that many machines share.
type HubStatus struct {
	// Machine is the name of this machine on the hub, and of its namespace there.
	Machine string `json:"machine"`
	// Server is the URL of the hub's API server.
	Server string `json:"server"`
	// Allow is what the machine lets users of the hub do: view, operate or create.
	Allow string `json:"allow"`
	// JoinedAt is the time of the 'rdd join'.
	JoinedAt metav1.MicroTime `json:"joinedAt"`
}

// ConditionHubSynced is True when the mirrors on the hub equal the engine's objects. It
// exists only if this machine has joined a hub, and is no part of Settled.
const ConditionHubSynced = "HubSynced"

// Reasons of ConditionHubSynced.
const (
	// ReasonHubSynced: the hub has all mirrors.
	ReasonHubSynced = "Synced"
	// ReasonHubNoEngine: no engine runs, and the hub has no mirrors.
	ReasonHubNoEngine = "NoEngine"
	// ReasonHubConnecting: the Lease is being acquired, and the mirrors are being read.
	ReasonHubConnecting = "Connecting"
	// ReasonHubSyncing: the mirrors are being written.
	ReasonHubSyncing = "Syncing"
	// ReasonHubEngineDisconnected: the connection to the engine was lost.
	ReasonHubEngineDisconnected = "EngineDisconnected"
	// ReasonHubAway: the hub does not answer.
	ReasonHubAway = "Away"
	// ReasonHubUnauthorized: the hub does not accept the credentials of this machine.
	ReasonHubUnauthorized = "Unauthorized"
	// ReasonHubRefused: the hub refuses requests of this machine.
	ReasonHubRefused = "Refused"
	// ReasonHubHeldByOther: another machine uses the name of this one.
	ReasonHubHeldByOther = "HeldByOther"
	// ReasonHubInvalidJoin: the stored join file cannot be used.
	ReasonHubInvalidJoin = "InvalidJoinFile"
)
