package v1alpha1

import (
	"crypto/sha256"
	"encoding/hex"
)

// Finalizer is carried by every Container, Image and Volume: whoever deletes
// the resource deletes the engine's object first.
const Finalizer = "engine.rancherdesktop.io/docker-mirror"

// Types of the conditions in which a mirror says what the engine refused.
const (
	// ConditionEngineDeleted is False while the engine refuses to delete the object.
	ConditionEngineDeleted = "EngineDeleted"
	// ConditionStateReached is False while the engine refuses the wish in spec.state.
	ConditionStateReached = "StateReached"
	// ConditionHeld is True while a deleted resource, of which rdd has let go, is
	// kept by the finalizers of other controllers. The message names them.
	ConditionHeld = "Held"
	// ReasonForeignFinalizer is the reason of ConditionHeld.
	ReasonForeignFinalizer = "ForeignFinalizer"
	// ConditionMirrored is False while rdd fails to keep the resource equal to the
	// engine's object.
	ConditionMirrored = "Mirrored"
	// ReasonMirrorFailed is the reason of ConditionMirrored.
	ReasonMirrorFailed = "MirrorFailed"
	// ReasonRefused is the reason of the first two; the message carries the engine's words.
	ReasonRefused = "EngineRefused"
)

// IsOwnCondition reports whether a condition of a mirror is about what rdd does,
// and not about the engine's object.
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

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
