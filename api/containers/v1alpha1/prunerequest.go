package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PruneKind is a kind of object that a PruneRequest removes.
// +kubebuilder:validation:Enum=Container;Image;Volume;Network;BuildCache
type PruneKind string

// PruneBuildCache is what the engine keeps of builds. It has no mirrors.
const PruneBuildCache PruneKind = "BuildCache"

// PruneRequestSpec selects unused objects.
type PruneRequestSpec struct {
	RequestSpec `json:",inline"`

	// Kinds of the objects: Container, Image, Volume, Network and BuildCache. By default
	// Container, Network and Image. A container is unused unless it runs or is paused.
	// Other objects are unused if no remaining container uses them, and the build cache if
	// no build does.
	// +kubebuilder:default={Container,Network,Image}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	// +listType=set
	// +optional
	Kinds []PruneKind `json:"kinds,omitempty"`
	// All also selects tagged images, named volumes, and the records of the build cache that
	// images share or that are internal to the engine. Otherwise only untagged images,
	// anonymous volumes and the other records of the build cache are selected.
	// +optional
	All bool `json:"all,omitempty"`
	// Until limits the prune to objects that were created, and to records of the build cache
	// that were last used, before this time of the engine's clock.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
	// Labels select objects by their labels. Each is one of key, key=value, !key and
	// key!=value, and all must be met. The build cache has no labels.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.all(one, one.matches('^(!?[^!=]+|[^!=]+!?=.*)$'))",message="each of labels must be one of key, key=value, !key and key!=value"
	// +listType=atomic
	// +optional
	Labels []string `json:"labels,omitempty"`
	// DryRun lists what would be removed, and removes nothing.
	// +optional
	DryRun bool `json:"dryRun,omitempty"`
}

// MaxPruned is how many objects the status of a PruneRequest names.
const MaxPruned = 100

// PrunedObject is an object that a PruneRequest has removed, or would remove.
type PrunedObject struct {
	// Kind of the object.
	Kind Kind `json:"kind"`
	// Name of the container, volume or network, the tag of the image, or its ID, or the
	// step of the build.
	Name string `json:"name"`
	// Resource is the name of the resource that mirrors the object. The build cache has no
	// mirrors.
	// +optional
	Resource string `json:"resource,omitempty"`
	// Bytes that only this object used.
	// +optional
	Bytes int64 `json:"bytes,omitempty"`
}

// PruneRequestStatus is the observed state of a PruneRequest.
type PruneRequestStatus struct {
	RequestStatus `json:",inline"`

	// Pruned are the objects that were removed, or that would be with dryRun, at most 100.
	// After a restart of the daemon in the middle it has those that were removed since.
	// +listType=atomic
	// +optional
	Pruned []PrunedObject `json:"pruned,omitempty"`
	// PrunedCount is the number of all removed objects, including those that pruned omits.
	// +optional
	PrunedCount int32 `json:"prunedCount,omitempty"`
	// ReclaimedBytes is how many bytes only these objects used.
	// +optional
	ReclaimedBytes int64 `json:"reclaimedBytes,omitempty"`
}

// PruneRequest asks the container engine to remove what is unused. Nothing is forced: what
// comes into use meanwhile stays. The status names what was removed. Deleting the request
// before it is finished ends it; what was removed by then is gone.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=prunerequests,singular=prunerequest,shortName=prunereq,categories=rdd
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Failed",type=string,JSONPath=`.status.conditions[?(@.type=="Failed")].status`
// +kubebuilder:printcolumn:name="Objects",type=integer,JSONPath=`.status.prunedCount`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type PruneRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is requested. Only ttlSecondsAfterFinished can be changed later.
	Spec PruneRequestSpec `json:"spec"`
	// Status is the observed state of the request. It is read-only.
	Status PruneRequestStatus `json:"status,omitempty"`
}

// PruneRequestList is a list of PruneRequests.
// +kubebuilder:object:root=true
type PruneRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PruneRequest `json:"items"`
}

// RequestKind implements Request.
func (*PruneRequest) RequestKind() RequestKind { return KindPruneRequest }

// CommonSpec implements Request.
func (r *PruneRequest) CommonSpec() *RequestSpec { return &r.Spec.RequestSpec }

// CommonStatus implements Request.
func (r *PruneRequest) CommonStatus() *RequestStatus { return &r.Status.RequestStatus }

// CopyRequest implements Request.
func (r *PruneRequest) CopyRequest() Request { return r.DeepCopy() }

// SameStatus implements Request.
func (r *PruneRequest) SameStatus(other Request) bool {
	return equality.Semantic.DeepEqual(&r.Status, &other.(*PruneRequest).Status)
}
