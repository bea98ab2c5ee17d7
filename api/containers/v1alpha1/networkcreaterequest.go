package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkCreateRequestSpec is a network to create.
type NetworkCreateRequestSpec struct {
	RequestSpec `json:",inline"`

	// Name of the network. By default it is the name of the request and the beginning of
	// its UID.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9][a-zA-Z0-9_.-]+$')",message="a name has at least two characters, begins with a letter or a digit, and has only letters, digits, '_', '.' and '-'"
	// +optional
	Name string `json:"name,omitempty"`
	// Driver of the network; bridge by default.
	// +kubebuilder:default=bridge
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Driver string `json:"driver,omitempty"`
	// Internal is true for a network without access to other networks.
	// +optional
	Internal bool `json:"internal,omitempty"`
	// Attachable is true if containers outside of services can attach to a network of a
	// cluster.
	// +optional
	Attachable bool `json:"attachable,omitempty"`
	// IPv6 enables IPv6. It needs a subnet of IPv6.
	// +optional
	IPv6 bool `json:"ipv6,omitempty"`
	// Subnets of the network. By default the engine chooses one.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Subnets []RequestedSubnet `json:"subnets,omitempty"`
	// Options of the driver.
	// +kubebuilder:validation:MaxProperties=100
	// +optional
	Options map[string]string `json:"options,omitempty"`
	// Labels of the network, in addition to rancherdesktop.io/request.
	// +kubebuilder:validation:MaxProperties=200
	// +kubebuilder:validation:XValidation:rule="!('rancherdesktop.io/request' in self)",message="the label rancherdesktop.io/request is set by rdd: remove it"
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() > 0)",message="a label needs a key: give it one, or remove it"
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
}

// RequestedSubnet is a subnet of a network to create.
// +kubebuilder:validation:XValidation:rule="!isCIDR(self.subnet) || !has(self.gateway) || !isIP(self.gateway) || cidr(self.subnet).containsIP(self.gateway)",message="gateway must be an address in subnet"
// +kubebuilder:validation:XValidation:rule="!isCIDR(self.subnet) || !has(self.ipRange) || !isCIDR(self.ipRange) || cidr(self.subnet).containsCIDR(self.ipRange)",message="ipRange must be a range in subnet"
type RequestedSubnet struct {
	// Subnet is the range of addresses in CIDR notation, such as 172.30.0.0/16.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && cidr(self).masked() == cidr(self)",message="subnet must be a range of addresses in CIDR notation, such as 172.30.0.0/16"
	Subnet string `json:"subnet"`
	// IPRange is the range within the subnet from which containers get addresses. Empty
	// means the whole subnet.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="ipRange must be a range of addresses in CIDR notation, such as 172.30.1.0/24"
	// +optional
	IPRange string `json:"ipRange,omitempty"`
	// Gateway is the address of the gateway. By default the engine chooses one.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="gateway must be an IP address, such as 172.30.0.1"
	// +optional
	Gateway string `json:"gateway,omitempty"`
}

// NetworkCreateRequest asks for a new network of the container engine. It fails if the
// engine has another network of this name. Deleting it does not delete the network.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=networkcreaterequests,singular=networkcreaterequest,shortName=cnetreq,categories=rdd
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Failed",type=string,JSONPath=`.status.conditions[?(@.type=="Failed")].status`
// +kubebuilder:printcolumn:name="Result",type=string,JSONPath=`.status.result.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type NetworkCreateRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is requested. Only ttlSecondsAfterFinished can be changed later.
	Spec NetworkCreateRequestSpec `json:"spec"`
	// Status is the observed state of the request. It is read-only.
	Status RequestStatus `json:"status,omitempty"`
}

// NetworkCreateRequestList is a list of NetworkCreateRequests.
// +kubebuilder:object:root=true
type NetworkCreateRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NetworkCreateRequest `json:"items"`
}

// RequestKind implements Request.
func (*NetworkCreateRequest) RequestKind() RequestKind { return KindNetworkCreateRequest }

// CommonSpec implements Request.
func (r *NetworkCreateRequest) CommonSpec() *RequestSpec { return &r.Spec.RequestSpec }

// CommonStatus implements Request.
func (r *NetworkCreateRequest) CommonStatus() *RequestStatus { return &r.Status }

// CopyRequest implements Request.
func (r *NetworkCreateRequest) CopyRequest() Request { return r.DeepCopy() }

// SameStatus implements Request.
func (r *NetworkCreateRequest) SameStatus(other Request) bool {
	return equality.Semantic.DeepEqual(&r.Status, &other.(*NetworkCreateRequest).Status)
}
