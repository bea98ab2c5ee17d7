package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkIPAM is the IP address management (IPAM) of a network.
type NetworkIPAM struct {
	// Driver is the IPAM driver.
	// +optional
	Driver string `json:"driver,omitempty"`
	// Options are the options of the IPAM driver.
	// +optional
	Options map[string]string `json:"options,omitempty"`
	// Configs are the subnets of the network.
	// +optional
	Configs []NetworkIPAMConfig `json:"configs,omitempty"`
}

// NetworkIPAMConfig is a subnet of a network.
type NetworkIPAMConfig struct {
	// Subnet is the range of addresses in CIDR notation, such as 172.18.0.0/16.
	// +optional
	Subnet string `json:"subnet,omitempty"`
	// IPRange is the range within the subnet from which containers get addresses.
	// Empty means the whole subnet.
	// +optional
	IPRange string `json:"ipRange,omitempty"`
	// Gateway is the address of the gateway.
	// +optional
	Gateway string `json:"gateway,omitempty"`
	// AuxiliaryAddresses are addresses, by host name, that no container gets.
	// +optional
	AuxiliaryAddresses map[string]string `json:"auxiliaryAddresses,omitempty"`
}

// NetworkStatus is the observed state of a network.
type NetworkStatus struct {
	// Name is the name of the network in the engine. It is not always unique.
	// +optional
	Name string `json:"name,omitempty"`
	// ID is the ID of the network.
	// +optional
	ID string `json:"id,omitempty"`
	// Namespace is the namespace of the engine that has the network.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Driver is the network driver, such as bridge.
	// +optional
	Driver string `json:"driver,omitempty"`
	// Scope is local for a network of one host, and swarm or global for one of a
	// cluster.
	// +optional
	Scope string `json:"scope,omitempty"`
	// Internal is true if the network has no access to other networks.
	// +optional
	Internal bool `json:"internal,omitempty"`
	// Attachable is true if containers outside of services can attach to a network
	// of a cluster.
	// +optional
	Attachable bool `json:"attachable,omitempty"`
	// IPv6 is true if IPv6 is enabled.
	// +optional
	IPv6 bool `json:"ipv6,omitempty"`
	// IPAM is the IP address management (IPAM) of the network.
	// +optional
	IPAM NetworkIPAM `json:"ipam,omitzero"`
	// Labels are the labels of the network. Those that are valid in Kubernetes are also
	// labels of this resource.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Options are the options of the network driver.
	// +optional
	Options map[string]string `json:"options,omitempty"`
	// CreatedAt is the time at which the network was created.
	// +optional
	CreatedAt *metav1.MicroTime `json:"createdAt,omitempty"`
	// Containers is the number of running containers that are attached. A stopped
	// container does not count.
	// +optional
	Containers int32 `json:"containers"`
	// Conditions report requests that the engine refused. EngineDeleted is False
	// while the engine refuses to remove the network. Held and Mirrored report a
	// finalizer of another controller, and a failure of rdd.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Network mirrors one network of the container engine. Deleting it removes the
// network. The engine refuses to remove its predefined networks (bridge, host,
// none) and networks to which containers are attached.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=networks,singular=network,shortName=cnet,categories=rdd
// +kubebuilder:selectablefield:JSONPath=`.status.id`
// +kubebuilder:selectablefield:JSONPath=`.status.name`
// +kubebuilder:selectablefield:JSONPath=`.status.namespace`
// +kubebuilder:printcolumn:name="Network",type=string,JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="Driver",type=string,JSONPath=`.status.driver`
// +kubebuilder:printcolumn:name="Subnet",type=string,JSONPath=`.status.ipam.configs[0].subnet`
// +kubebuilder:printcolumn:name="Containers",type=integer,JSONPath=`.status.containers`
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.id`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.status.createdAt`
type Network struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Status is the observed state of the network. It is read-only.
	Status NetworkStatus `json:"status,omitempty"`
}

// NetworkList is a list of Networks.
// +kubebuilder:object:root=true
type NetworkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Network `json:"items"`
}

// MirrorKind implements Mirror.
func (*Network) MirrorKind() Kind { return KindNetwork }

// ObjectID implements Mirror.
func (n *Network) ObjectID() string { return n.Status.ID }

// DisplayName implements Mirror.
func (n *Network) DisplayName() string { return n.Status.Name }

// EngineLabels implements Mirror.
func (n *Network) EngineLabels() map[string]string { return n.Status.Labels }

// MirrorConditions implements Mirror.
func (n *Network) MirrorConditions() *[]metav1.Condition { return &n.Status.Conditions }

// SetStatusFrom implements Mirror.
func (n *Network) SetStatusFrom(m Mirror) { n.Status = m.(*Network).Status }

// CopyMirror implements Mirror.
func (n *Network) CopyMirror() Mirror { return n.DeepCopy() }

// SameStatus implements Mirror.
func (n *Network) SameStatus(m Mirror) bool {
	return equality.Semantic.DeepEqual(&n.Status, &m.(*Network).Status)
}
