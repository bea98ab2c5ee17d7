package v1alpha1

import (
	"crypto/sha256"
	"encoding/hex"
)

// Finalizer keeps a deleted resource until its object is removed from the engine.
// Every mirror of a kind with HasFinalizer has it.
const Finalizer = "engine.rancherdesktop.io/docker-mirror"

// Types and reasons of the conditions that report what rdd does about a mirror.
const (
	// ConditionEngineDeleted is False while the engine refuses to remove the object.
	ConditionEngineDeleted = "EngineDeleted"
	// ConditionStateReached is False while the engine refuses the desired state.
	ConditionStateReached = "StateReached"
	// ConditionHeld is True while finalizers of other controllers keep a deleted
	// resource that rdd has released. The message names them.
	ConditionHeld = "Held"
	// ReasonForeignFinalizer is the reason of ConditionHeld.
	ReasonForeignFinalizer = "ForeignFinalizer"
	// ConditionMirrored is False while rdd fails to update the resource from the
	// engine's object.
	ConditionMirrored = "Mirrored"
	// ReasonMirrorFailed is the reason of ConditionMirrored.
	ReasonMirrorFailed = "MirrorFailed"
	// ReasonRefused is the reason of ConditionEngineDeleted and ConditionStateReached.
	// The message is the engine's error.
	ReasonRefused = "EngineRefused"
)

// IsOwnCondition reports whether a condition of a mirror reports what rdd does, and
// not what the engine has.
func IsOwnCondition(conditionType string) bool {
	switch conditionType {
	case ConditionEngineDeleted, ConditionStateReached, ConditionHeld, ConditionMirrored:
		return true
	}
	return false
}

// ContainerResourceName returns the name of the Container that mirrors the
// container with this full ID.
func ContainerResourceName(id string) string { return KindContainer.ResourceName(id) }

// ImageResourceName returns the name of the Image that mirrors one tag of an image.
// An empty tag stands for an image without tags.
func ImageResourceName(id, tag string) string {
	if tag != "" {
		id += "\x00" + tag
	}
	return KindImage.ResourceName(id)
}

// VolumeResourceName returns the name of the Volume that mirrors the volume with
// this name in the engine.
func VolumeResourceName(name string) string { return KindVolume.ResourceName(name) }

// NetworkResourceName returns the name of the Network that mirrors the network with
// this ID.
func NetworkResourceName(id string) string { return KindNetwork.ResourceName(id) }

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
