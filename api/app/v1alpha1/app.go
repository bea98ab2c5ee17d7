package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AppName is the only name an App may have.
const AppName = "app"

// DefaultNamespace is where mirrors live unless spec.namespace says otherwise.
const DefaultNamespace = "rancher-desktop"

// EngineName names a container engine.
// +kubebuilder:validation:Enum=moby;containerd
type EngineName string

// The engines rdd can run. Only moby is mirrored; see ReasonNotApplicable.
const (
	EngineMoby       EngineName = "moby"
	EngineContainerd EngineName = "containerd"
)

// DriverName names the way in which the engine is brought up.
// +kubebuilder:validation:Enum=auto;native;lima;external
type DriverName string

// The drivers. DriverAuto picks one of the others and says in status which.
const (
	DriverAuto     DriverName = "auto"
	DriverNative   DriverName = "native"
	DriverLima     DriverName = "lima"
	DriverExternal DriverName = "external"
)

// Acceleration names what runs the instructions of a VM.
// +kubebuilder:validation:Enum=auto;kvm;hvf;vz;tcg
type Acceleration string

// The accelerations. AccelerationAuto takes the fastest that a probe found to
// work; AccelerationTCG is QEMU's own emulation, slow, and works everywhere.
const (
	AccelerationAuto Acceleration = "auto"
	AccelerationKVM  Acceleration = "kvm" // Linux
	AccelerationHVF  Acceleration = "hvf" // macOS, with QEMU
	AccelerationVZ   Acceleration = "vz"  // macOS, its Virtualization framework
	AccelerationTCG  Acceleration = "tcg"
)

// ImageCloud as VM.Image is the public cloud image.
const ImageCloud = "cloud"

// ContainerEngine says which engine should run.
type ContainerEngine struct {
	// Name of the engine: moby (Docker), or containerd.
	// +kubebuilder:default=moby
	// +optional
	Name EngineName `json:"name,omitempty"`

	// Subnet is the range of private IPv4 addresses that the networks of rdd's own
	// Docker on Linux (vm.driver=native) are in, such as 10.99.0.0/16, with a prefix
	// length from 8 to 20. Empty: rdd chooses ranges that no route of the machine
	// overlaps.
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule=`size(self) == 0 || (isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self) == cidr(self).masked() && cidr(self).prefixLength() >= 8 && cidr(self).prefixLength() <= 20 && ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15'].exists(r, cidr(r).containsCIDR(cidr(self))))`,message="containerEngine.subnet is empty, or the first address and the prefix length (8 to 20) of a private range, as in 10.99.0.0/16"
	// +optional
	Subnet string `json:"subnet,omitempty"`
}

// VM says how the engine is brought up.
// +kubebuilder:validation:XValidation:rule="!has(self.endpoint) || size(self.endpoint) == 0 || self.driver == 'external'",message="vm.endpoint is for vm.driver=external only; set vm.driver=external as well, or leave vm.endpoint empty"
type VM struct {
	// Driver that brings the engine up: native (rdd's own engine, directly on
	// Linux), lima (in a VM), external (an engine that is already there and is
	// never started, stopped or changed by rdd), or auto (rdd stays with
	// the driver that has the containers of this instance; where there are none it
	// picks the first of native, lima and external that works, and it says so in
	// status.vm).
	// +kubebuilder:default=auto
	// +optional
	Driver DriverName `json:"driver,omitempty"`

	// Endpoint of the external engine, such as unix:///var/run/docker.sock.
	// Empty: DOCKER_HOST of the daemon's environment, else the current docker context.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule=`size(self) == 0 || self.matches(r'^(unix:///+[^/\x00-\x1f\x7f][^\x00-\x1f\x7f]*|tcp://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))(/[A-Za-z0-9._~/-]*)?|https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(/[A-Za-z0-9._~/-]*)?)$')`,message="vm.endpoint is empty, unix:///path/docker.sock with an absolute path, tcp://host:port, http://host:port or https://host:port"
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'^[a-z]+://\[') || self.startsWith('unix:') || (isIP(self.split('[')[1].split(']')[0]) && ip(self.split('[')[1].split(']')[0]).family() == 6)`,message="vm.endpoint has no IPv6 address in its brackets; write it as in tcp://[::1]:2375"
	// +optional
	Endpoint string `json:"endpoint,omitempty"`

	// Retry, when it gets another value, has what failed or was refused tried
	// again at once. A command that waits sets it to the time when it meets a
	// refusal of before.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Retry string `json:"retry,omitempty"`

	// CPUs of the VM.
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	// +optional
	CPUs int32 `json:"cpus,omitempty"`

	// Memory of the VM, at least 512Mi.
	// +kubebuilder:default="2Gi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || quantity(string(self)).compareTo(quantity('512Mi')) >= 0",message="vm.memory must be at least 512Mi"
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`

	// Disk size of the VM, at least 4Gi. It takes up what is really used, and
	// never shrinks: 'rdd vm reset' makes a new one.
	// +kubebuilder:default="64Gi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || quantity(string(self)).compareTo(quantity('4Gi')) >= 0",message="vm.disk must be at least 4Gi"
	// +optional
	Disk *resource.Quantity `json:"disk,omitempty"`

	// Image of the VM: empty (the image that was built for this rdd, else the
	// public one), cloud (the public one), or the absolute path of the directory
	// of a built image or of a lima.yaml.
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self == 'cloud' || self.startsWith('/')",message="vm.image is empty, 'cloud', or an absolute path: of the directory of a built image, or of a lima.yaml"
	// +optional
	Image string `json:"image,omitempty"`

	// Acceleration of the VM: kvm, hvf, vz, tcg (emulation, slow, works
	// everywhere), or auto (the fastest that a probe found to work).
	// +kubebuilder:default=auto
	// +optional
	Acceleration Acceleration `json:"acceleration,omitempty"`

	// Restart restarts a VM that was started with another value. 'rdd vm restart'
	// sets it to the time.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Restart string `json:"restart,omitempty"`

	// Reset makes a new disk for a VM whose disk was made with another value, and
	// deletes the old one with all images, containers and volumes in it.
	// 'rdd vm reset' sets it to the time.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Reset string `json:"reset,omitempty"`
}

// AppSpec is what the user wishes.
type AppSpec struct {
	// Running is whether the engine should be up.
	// +kubebuilder:default=false
	// +optional
	Running bool `json:"running"`

	// Namespace in which the mirrors live. It cannot be changed later.
	// +kubebuilder:default=rancher-desktop
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="namespace is immutable; use another instance, or run 'rdd svc stop', 'rdd svc reset' and 'rdd svc start --namespace NAME'"
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// ContainerEngine says which engine should run.
	// +kubebuilder:default={}
	// +optional
	ContainerEngine ContainerEngine `json:"containerEngine,omitempty"`

	// VM says how the engine is brought up.
	// +kubebuilder:default={}
	// +optional
	VM VM `json:"vm,omitempty"`
}

// Types of the App's conditions.
const (
	// ConditionRunning is True while the engine (or its VM) is up.
	ConditionRunning = "Running"
	// ConditionEngineReady is True when the engine answers and every one of its
	// objects has been mirrored or has a recorded reason why not.
	ConditionEngineReady = "ContainerEngineReady"
	// ConditionSettled is True when everything the spec of the observed
	// generation asks for has happened.
	ConditionSettled = "Settled"
)

// Reasons of ConditionRunning.
const (
	ReasonStopped     = "Stopped"
	ReasonStarting    = "Starting"
	ReasonStarted     = "Started"
	ReasonStopping    = "Stopping"
	ReasonStartFailed = "StartFailed"
	ReasonStopFailed  = "StopFailed"
)

// Reasons of ConditionEngineReady; ReasonStopped is one of them too.
const (
	ReasonConnected     = "Connected"
	ReasonConnectFailed = "ConnectFailed"
	// ReasonDisconnected: the connection is being made, or made again, or what
	// the engine has is not all mirrored yet; the message says which.
	ReasonDisconnected  = "Disconnected"
	ReasonNotApplicable = "NotApplicable"
)

// ReasonSettled is the reason of a true ConditionSettled. A false one carries
// the reason of the condition it waits for.
const ReasonSettled = "Settled"

// ReasonRefused is the reason of a false ConditionSettled when what the spec asks
// for cannot be carried out as things are: a file is wrong, a program is missing.
// rdd goes on looking whether that was mended.
const ReasonRefused = "Refused"

// VMStatus is what rdd knows about the engine's host.
type VMStatus struct {
	// Driver in use; never auto.
	// +optional
	Driver DriverName `json:"driver,omitempty"`
	// DriverReason says why this driver was picked.
	// +optional
	DriverReason string `json:"driverReason,omitempty"`
	// Endpoint at which the engine answers, such as unix:///path/docker.sock.
	// +optional
	Endpoint string `json:"endpoint,omitempty"`
}

// EngineStatus is what the engine says of itself.
type EngineStatus struct {
	// Version of the engine.
	// +optional
	Version string `json:"version,omitempty"`
	// APIVersion that was negotiated with it.
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`
}

// AppStatus is what is.
type AppStatus struct {
	// Conditions: Running, ContainerEngineReady, Settled.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// VM is what rdd knows about the engine's host.
	// +optional
	VM VMStatus `json:"vm,omitempty"`
	// Engine is what the engine says of itself.
	// +optional
	Engine EngineStatus `json:"engine,omitempty"`
}

// App is the desired and the observed state of one rdd instance.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,path=apps,singular=app
// +kubebuilder:printcolumn:name="Wanted",type=boolean,JSONPath=`.spec.running`
// +kubebuilder:printcolumn:name="Running",type=string,JSONPath=`.status.conditions[?(@.type=="Running")].reason`
// +kubebuilder:printcolumn:name="Engine",type=string,JSONPath=`.status.conditions[?(@.type=="ContainerEngineReady")].reason`
// +kubebuilder:printcolumn:name="Settled",type=string,JSONPath=`.status.conditions[?(@.type=="Settled")].status`
// +kubebuilder:printcolumn:name="Driver",type=string,JSONPath=`.status.vm.driver`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'app'",message="there is one App and its name is 'app'; change that one, or use another instance with 'rdd --instance NAME'"
type App struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:default={}
	Spec   AppSpec   `json:"spec,omitempty"`
	Status AppStatus `json:"status,omitempty"`
}

// AppList is a list of Apps.
// +kubebuilder:object:root=true
type AppList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []App `json:"items"`
}
