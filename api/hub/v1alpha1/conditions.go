package v1alpha1

// Types of a Machine's conditions.
const (
	// ConditionReady is True while the machine renews its Lease and its engine answers.
	// It is Unknown if the Lease has expired.
	ConditionReady = "Ready"
	// ConditionSynced is True while the mirrors on the hub equal the objects of the
	// engine.
	ConditionSynced = "Synced"
)

// Reasons of ConditionReady.
const (
	// ReasonConnected: the engine answers.
	ReasonConnected = "Connected"
	// ReasonEngineStopped: the engine is stopped, and the machine has no mirrors.
	ReasonEngineStopped = "EngineStopped"
	// ReasonEngineDisconnected: the engine does not answer, and rdd is reconnecting.
	ReasonEngineDisconnected = "EngineDisconnected"
	// ReasonNotApplicable: the engine runs, and is one that rdd does not mirror.
	ReasonNotApplicable = "NotApplicable"
	// ReasonLeft: the machine has left the hub.
	ReasonLeft = "Left"
	// ReasonNeverJoined: the machine has not joined yet.
	ReasonNeverJoined = "NeverJoined"
	// ReasonLeaseExpired: the machine has not renewed its Lease for spec.staleAfter: it is
	// off, asleep or offline.
	ReasonLeaseExpired = "LeaseExpired"
)

// Reasons of ConditionSynced.
const (
	// ReasonSynced: all objects are mirrored.
	ReasonSynced = "Synced"
	// ReasonSyncing: the mirrors are being written.
	ReasonSyncing = "Syncing"
	// ReasonNoEngine: there is no engine to mirror.
	ReasonNoEngine = "NoEngine"
	// ReasonRefused: the hub refuses writes of the machine, for example because of a
	// quota. The message is the hub's error.
	ReasonRefused = "Refused"
	// ReasonDefinitionsOutdated: the definitions on the hub lack fields that the machine
	// writes. 'rdd hub install' of the machine's version, or a later one, updates them.
	ReasonDefinitionsOutdated = "DefinitionsOutdated"
	// ReasonMirrorsFailed: some objects could not be mirrored. The message counts them.
	ReasonMirrorsFailed = "MirrorsFailed"
)
