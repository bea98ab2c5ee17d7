package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// RequestLabel is the label of an object of the engine that a request has created. Its
// value is the UID of the request.
const RequestLabel = "rancherdesktop.io/request"

// DefaultTTLSecondsAfterFinished is how long a finished request stays by default, in
// seconds.
const DefaultTTLSecondsAfterFinished = 600

// Types of a request's conditions. Exactly one of them becomes True, and then never
// changes.
const (
	// ConditionComplete is True when the request was carried out. Its reason and message
	// say before what the request waits for.
	ConditionComplete = "Complete"
	// ConditionFailed is True when the request cannot be carried out.
	ConditionFailed = "Failed"
)

// Reasons of a request's conditions.
const (
	// ReasonPending: rdd has not begun to work on the request.
	ReasonPending = "Pending"
	// ReasonWaitingForEngine: no container engine is connected.
	ReasonWaitingForEngine = "WaitingForEngine"
	// ReasonInProgress: the engine works on the request.
	ReasonInProgress = "InProgress"
	// ReasonNotAllowed: the user of the machine does not allow requests on a hub.
	ReasonNotAllowed = "NotAllowed"
	// ReasonRetrying: the engine could not be reached, and is called again.
	ReasonRetrying = "Retrying"
	// ReasonStartFailed: the engine refused the start of the new container, which is
	// removed.
	ReasonStartFailed = "StartFailed"
	// ReasonCompleted: the request was carried out.
	ReasonCompleted = "Completed"
	// ReasonNotFailed is the reason of ConditionFailed while it is False.
	ReasonNotFailed = "NotFailed"
	// ReasonRequestRefused: the engine refused the request.
	ReasonRequestRefused = "Refused"
	// ReasonAlreadyExists: the engine has another object of this name.
	ReasonAlreadyExists = "AlreadyExists"
	// ReasonNotFound: the engine lacks what the request names, such as an image.
	ReasonNotFound = "NotFound"
	// ReasonInvalid: the engine does not accept a parameter.
	ReasonInvalid = "Invalid"
	// ReasonNoCredentials: the user's credentials for a registry cannot be read.
	ReasonNoCredentials = "NoCredentials"
	// ReasonUnauthorized: a registry refuses the user's credentials, or needs some.
	ReasonUnauthorized = "Unauthorized"
	// ReasonWrongNamespace: the request is not in the namespace of the mirrors.
	ReasonWrongNamespace = "WrongNamespace"
	// ReasonOutcomeUnknown: what the request created was removed before rdd could read
	// the outcome.
	ReasonOutcomeUnknown = "OutcomeUnknown"
)

// RequestSpec has the fields of every request.
type RequestSpec struct {
	// TTLSecondsAfterFinished is how long the request stays after it is complete or has
	// failed, in seconds. Then rdd deletes the request, but not what it created. Only
	// this field of a request can be changed.
	// +kubebuilder:default=600
	// +kubebuilder:validation:Minimum=0
	// +optional
	TTLSecondsAfterFinished *int32 `json:"ttlSecondsAfterFinished,omitempty"`
}

// RequestProgress is how far the engine is with a request.
type RequestProgress struct {
	// Phase is what the engine does now, such as Downloading.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Bytes that were transferred.
	// +optional
	Bytes int64 `json:"bytes,omitempty"`
	// TotalBytes is how many bytes there are, as far as the engine knows.
	// +optional
	TotalBytes int64 `json:"totalBytes,omitempty"`
	// Layers that are done.
	// +optional
	Layers int32 `json:"layers,omitempty"`
	// TotalLayers is how many layers there are.
	// +optional
	TotalLayers int32 `json:"totalLayers,omitempty"`
	// Items are the layers, in the order in which the engine reported them.
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	// +optional
	Items []LayerProgress `json:"items,omitempty"`
}

// LayerProgress is how far the engine is with one layer of an image.
type LayerProgress struct {
	// ID is the beginning of the layer's digest.
	ID string `json:"id"`
	// Status in the engine's words, such as Downloading.
	// +optional
	Status string `json:"status,omitempty"`
	// Bytes that were transferred.
	// +optional
	Bytes int64 `json:"bytes,omitempty"`
	// TotalBytes is how many bytes there are; 0 while that is unknown.
	// +optional
	TotalBytes int64 `json:"totalBytes,omitempty"`
	// Done is true when nothing remains to be done for the layer.
	// +optional
	Done bool `json:"done,omitempty"`
}

// RequestResult is the resource that came of a request. It is in the namespace of the
// request.
type RequestResult struct {
	// Kind of the resource, such as Container.
	Kind Kind `json:"kind"`
	// Name of the resource.
	Name string `json:"name"`
}

// RequestStatus is the observed state of a request.
type RequestStatus struct {
	// Conditions are Complete and Failed. One of them becomes True when the request is
	// finished. Until then the reason and the message of Complete say what the request
	// waits for.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// StartedAt is when rdd began to work on the request.
	// +optional
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
	// CompletedAt is when the request was complete or had failed.
	// +optional
	CompletedAt *metav1.MicroTime `json:"completedAt,omitempty"`
	// Message is for a person: what the request waits for, its outcome, or the error of
	// the engine in its own words.
	// +optional
	Message string `json:"message,omitempty"`
	// Progress is how far the engine is, for a request that transfers data.
	// +optional
	Progress *RequestProgress `json:"progress,omitempty"`
	// Result is the resource that came of the request. It is set as soon as the engine
	// has the object.
	// +optional
	Result *RequestResult `json:"result,omitempty"`
}

// IsFinished reports whether the request is complete or has failed.
func IsFinished(r Request) bool {
	conditions := r.CommonStatus().Conditions
	return meta.IsStatusConditionTrue(conditions, ConditionComplete) || meta.IsStatusConditionTrue(conditions, ConditionFailed)
}

// Request is a resource that asks for work of the engine, which is carried out once.
// +kubebuilder:object:generate=false
type Request interface {
	metav1.Object
	runtime.Object

	// RequestKind returns the kind, also when TypeMeta is empty.
	RequestKind() RequestKind
	// CommonSpec returns the fields that every request has.
	CommonSpec() *RequestSpec
	// CommonStatus returns the part of the status that every request has.
	CommonStatus() *RequestStatus
	// SameStatus reports whether the whole status equals that of another request of the
	// same kind. As for the API server, nil and empty are equal.
	SameStatus(Request) bool
	// CopyRequest returns a deep copy.
	CopyRequest() Request
}
