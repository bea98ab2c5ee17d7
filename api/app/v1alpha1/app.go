package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// AppName is the name of the only App.
const AppName = "app"

// DefaultNamespace is the default of spec.namespace.
const DefaultNamespace = "rancher-desktop"

// EngineName names a container engine.
// +kubebuilder:validation:Enum=moby;containerd
type EngineName string

// The container engines that rdd can run. Only moby is mirrored; see
// ReasonNotApplicable.
const (
	EngineMoby       EngineName = "moby"
	EngineContainerd EngineName = "containerd"
)

// DriverName names a driver, which starts and stops the engine.
// +kubebuilder:validation:Enum=auto;native;lima;external
type DriverName string

// The drivers. DriverAuto selects one of the others and reports it in
// status.vm.
const (
	DriverAuto     DriverName = "auto"
	DriverNative   DriverName = "native"
	DriverLima     DriverName = "lima"
	DriverExternal DriverName = "external"
)

// Acceleration names the accelerator of a VM.
// +kubebuilder:validation:Enum=auto;kvm;hvf;vz;tcg
type Acceleration string

// The accelerators. AccelerationAuto selects the fastest that passes a probe.
// AccelerationTCG is emulation by QEMU, which is slow and works everywhere.
const (
	AccelerationAuto Acceleration = "auto"
	AccelerationKVM  Acceleration = "kvm" // Linux
	AccelerationHVF  Acceleration = "hvf" // macOS, with QEMU
	AccelerationVZ   Acceleration = "vz"  // macOS, its Virtualization framework
	AccelerationTCG  Acceleration = "tcg"
)

// ImageCloud is the value of VM.Image for the public cloud image.
const ImageCloud = "cloud"

// ContainerEngine selects and configures the container engine.
// +kubebuilder:validation:XValidation:rule=`!has(self.name) || self.name != 'containerd' || !((has(self.registryMirrors) && size(self.registryMirrors) > 0) || (has(self.insecureRegistries) && size(self.insecureRegistries) > 0) || (has(self.dns) && size(self.dns) > 0) || has(self.config))`,message="containerEngine.registryMirrors, insecureRegistries, dns and config are for containerEngine.name=moby only, because containerd has no such settings; remove them with 'rdd set containerEngine.registryMirrors= containerEngine.insecureRegistries= containerEngine.dns= containerEngine.config='"
type ContainerEngine struct {
	// Name is the container engine: moby (Docker) or containerd. Only the objects
	// of moby are mirrored.
	// +kubebuilder:default=moby
	// +optional
	Name EngineName `json:"name,omitempty"`

	// Subnet is the range of private IPv4 addresses for the networks of the engine
	// that vm.driver=native starts, such as 10.99.0.0/16. The prefix length is 8
	// to 20. If empty, rdd chooses ranges that overlap no route of the machine.
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule=`size(self) == 0 || (isCIDR(self) && cidr(self).ip().family() == 4 && cidr(self) == cidr(self).masked() && cidr(self).prefixLength() >= 8 && cidr(self).prefixLength() <= 20 && ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15'].exists(r, cidr(r).containsCIDR(cidr(self))))`,message="containerEngine.subnet must be empty, or the first address and the prefix length (8 to 20) of a private range, as in 10.99.0.0/16"
	// +optional
	Subnet string `json:"subnet,omitempty"`

	// RegistryMirrors are URLs of mirrors of Docker Hub, such as
	// https://mirror.example.com. The engine asks them first, in this order. Only for
	// moby.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:XValidation:rule=`self.matches(r'^https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$')`,message="a mirror in containerEngine.registryMirrors must be http:// or https:// and a host, with a port if needed and no path, as in https://mirror.example.com:5000"
	// +listType=atomic
	// +optional
	RegistryMirrors []string `json:"registryMirrors,omitempty"`

	// InsecureRegistries are registries that the engine may use without TLS, or
	// whose certificate it does not verify: hosts with a port if needed, such as
	// registry.lan:5000, or ranges of addresses, such as 10.0.0.0/8. Only for moby.
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:XValidation:rule=`isCIDR(self) || self.matches(r'^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$')`,message="a registry in containerEngine.insecureRegistries must be a host, with a port if needed and no http://, as in registry.lan:5000, or a range of addresses, as in 10.0.0.0/8"
	// +listType=atomic
	// +optional
	InsecureRegistries []string `json:"insecureRegistries,omitempty"`

	// Proxy is what the engine uses to reach registries. An empty field leaves the
	// proxy of the daemon's environment.
	// +optional
	Proxy Proxy `json:"proxy,omitzero"`

	// DNS are the addresses of the name servers of containers, such as 10.0.0.53.
	// If empty, containers use those of the engine's host. Only for moby.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=45
	// +kubebuilder:validation:items:XValidation:rule=`isIP(self)`,message="a name server in containerEngine.dns must be an IP address, as in 10.0.0.53"
	// +listType=atomic
	// +optional
	DNS []string `json:"dns,omitempty"`

	// ExtraArgs are arguments of the engine's program, each --NAME or --NAME=VALUE,
	// such as --log-level=debug. They cannot override what rdd sets itself.
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:items:XValidation:rule=`self.matches(r'^--[a-z][a-z0-9-]+(=[^\x00-\x1f\x7f]*)?$')`,message="an argument in containerEngine.extraArgs must be --NAME or --NAME=VALUE, as in --log-level=debug"
	// +kubebuilder:validation:items:XValidation:rule=`!(self.split('=')[0] in ['--address', '--bip', '--bridge', '--config', '--config-file', '--containerd', '--containerd-namespace', '--containerd-plugins-namespace', '--data-root', '--default-address-pool', '--default-address-pools', '--dns', '--exec-root', '--graph', '--group', '--help', '--host', '--hosts', '--http-proxy', '--https-proxy', '--insecure-registries', '--insecure-registry', '--live-restore', '--no-proxy', '--pidfile', '--proxies', '--registry-mirror', '--registry-mirrors', '--root', '--rootless', '--state', '--validate', '--version'])`,messageExpression=`'containerEngine.extraArgs must not have ' + self.split('=')[0] + ', because rdd sets it itself, or another property of containerEngine does, or the engine would end at once: remove it'`
	// +listType=atomic
	// +optional
	ExtraArgs []string `json:"extraArgs,omitempty"`

	// Config has more keys of Docker's daemon.json, as an object, such as
	// {"debug": true}. They cannot override what rdd sets itself. Only for moby.
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +optional
	Config *runtime.RawExtension `json:"config,omitempty"`
}

// Proxy has the proxies of an engine. They have no password, because every client of
// the API can read them.
type Proxy struct {
	// HTTP is the URL of the proxy for http, such as http://proxy.example.com:3128.
	// A proxy with a password belongs in HTTP_PROXY of the daemon's environment.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule=`size(self) == 0 || self.matches(r'^(https?|socks5)://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$')`,message="containerEngine.proxy.http must be empty, or a URL without a user and a path, as in http://proxy.example.com:3128; a proxy with a password belongs in HTTP_PROXY of the environment of 'rdd svc restart'"
	// +optional
	HTTP string `json:"http,omitempty"`

	// HTTPS is the URL of the proxy for https. A proxy with a password belongs in
	// HTTPS_PROXY of the daemon's environment.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule=`size(self) == 0 || self.matches(r'^(https?|socks5)://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$')`,message="containerEngine.proxy.https must be empty, or a URL without a user and a path, as in http://proxy.example.com:3128; a proxy with a password belongs in HTTPS_PROXY of the environment of 'rdd svc restart'"
	// +optional
	HTTPS string `json:"https,omitempty"`

	// No lists what is reached without a proxy, separated by commas: hosts, domains
	// such as .example.com, addresses and ranges.
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[A-Za-z0-9._:/*,\[\]-]*$')`,message="containerEngine.proxy.no must be a list of hosts, domains, addresses and ranges, separated by commas without spaces"
	// +optional
	No string `json:"no,omitempty"`
}

// VM selects the driver that runs the engine, and configures its virtual
// machine.
// +kubebuilder:validation:XValidation:rule="!has(self.endpoint) || size(self.endpoint) == 0 || self.driver == 'external'",message="vm.endpoint is for vm.driver=external only; set vm.driver=external as well, or leave vm.endpoint empty"
type VM struct {
	// Driver is what runs the engine. native runs it directly on Linux, lima runs
	// it in a virtual machine, and external uses an existing engine that rdd never
	// starts or stops. auto keeps the driver that has the data of this instance;
	// if there is none, it selects the first of native, lima and external that
	// works. status.vm reports the selected driver.
	// +kubebuilder:default=auto
	// +optional
	Driver DriverName `json:"driver,omitempty"`

	// Endpoint is the address of the external engine, such as
	// unix:///var/run/docker.sock. If empty, rdd uses DOCKER_HOST of the daemon's
	// environment, or else the current docker context.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule=`size(self) == 0 || self.matches(r'^(unix:///+[^/\x00-\x1f\x7f][^\x00-\x1f\x7f]*|tcp://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))(/[A-Za-z0-9._~/-]*)?|https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(/[A-Za-z0-9._~/-]*)?)$')`,message="vm.endpoint must be empty, or unix:///path/docker.sock with an absolute path, tcp://host:port, http://host:port or https://host:port"
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'^[a-z]+://\[') || self.startsWith('unix:') || (isIP(self.split('[')[1].split(']')[0]) && ip(self.split('[')[1].split(']')[0]).family() == 6)`,message="vm.endpoint has no IPv6 address in its brackets; write it as in tcp://[::1]:2375"
	// +optional
	Endpoint string `json:"endpoint,omitempty"`

	// Retry is any text. When it changes, rdd retries at once what failed or was
	// refused, and starts an idle virtual machine. 'rdd set' and 'rdd start' set it to the
	// current time for these purposes.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Retry string `json:"retry,omitempty"`

	// CPUs is the number of CPUs of the virtual machine, from 1 to 64.
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	// +optional
	CPUs int32 `json:"cpus,omitempty"`

	// Memory is the memory size of the virtual machine, at least 512Mi.
	// +kubebuilder:default="2Gi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || quantity(string(self)).compareTo(quantity('512Mi')) >= 0",message="vm.memory must be at least 512Mi"
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`

	// Disk is the disk size of the virtual machine, at least 4Gi. The disk is
	// sparse and never shrinks; 'rdd vm reset' creates a new one.
	// +kubebuilder:default="64Gi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || quantity(string(self)).compareTo(quantity('4Gi')) >= 0",message="vm.disk must be at least 4Gi"
	// +optional
	Disk *resource.Quantity `json:"disk,omitempty"`

	// Image is the image of the virtual machine: cloud for the public cloud image,
	// or the absolute path of a lima.yaml or of the directory of a built image. If
	// empty, rdd uses the image that was built for it, or else the public cloud
	// image.
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self == 'cloud' || self.startsWith('/')",message="vm.image must be empty, 'cloud', or the absolute path of a lima.yaml or of the directory of a built image"
	// +optional
	Image string `json:"image,omitempty"`

	// Acceleration is the accelerator of the virtual machine: kvm, hvf, vz, tcg
	// (emulation, which is slow and works everywhere), or auto (the fastest that
	// passes a probe).
	// +kubebuilder:default=auto
	// +optional
	Acceleration Acceleration `json:"acceleration,omitempty"`

	// Mounts are the directories of the host that are shared with the virtual machine, each
	// PATH or PATH:r (read-only), or PATH:w (writable). They have the same path in the
	// virtual machine. ~ is the home directory. An empty list, [], shares nothing. A
	// directory below a writable one must be writable too.
	// +kubebuilder:default={"~"}
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:XValidation:rule=`self.matches(r'^(~|~?(/[\p{L}\p{M}\p{N}._+@=-]+)+)(:[rw])?$') && !self.matches(r'/\.\.?(/|:|$)')`,message="a directory in vm.mounts must be an absolute path or ~, of letters, digits and ._+@=- and without . and .. as names, with :w at its end if the VM may write, as in ~/work:w"
	// +kubebuilder:validation:items:XValidation:rule=`self.startsWith('/var/home/') || !self.matches(r'^/((bin|sbin|lib|lib32|lib64|libx32|usr|etc|var|proc|sys|dev|run|boot|home/rdd|mnt/lima-cidata)(/|:|$)|(home|mnt|opt|tmp)(:|$))')`,messageExpression=`'vm.mounts must not have ' + self + ', because the VM has files of its own there: share a directory below it, or one elsewhere'`
	// +kubebuilder:validation:XValidation:rule=`self.all(m, self.exists_one(o, o.split(':')[0] == m.split(':')[0]))`,message="vm.mounts must not have a directory twice"
	// +kubebuilder:validation:XValidation:rule=`!self.exists(w, w.endsWith(':w') && self.exists(r, !r.endsWith(':w') && r.startsWith(w.substring(0, size(w) - 2) + '/')))`,message="vm.mounts must not have a directory for reading below one with :w, through which the VM may write to it"
	// +listType=atomic
	// +optional
	Mounts []string `json:"mounts,omitzero"`

	// IdleStop stops a virtual machine in which no container has run, and which nothing
	// has used, for this time, such as 10m or 1h30m; at least 1m. The next use of the
	// engine starts it again. If empty or 0, the virtual machine keeps running. Only for
	// moby.
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule=`size(self) == 0 || self == '0' || (self.matches(r'^([0-9]{1,6}[hms]){1,3}$') && (duration(self) == duration('0s') || duration(self) >= duration('1m')))`,message="vm.idleStop must be empty, 0, or a time of at least 1m, as in 10m or 1h30m"
	// +optional
	IdleStop string `json:"idleStop,omitempty"`

	// Restart is any text. When it changes, a running virtual machine is
	// restarted. 'rdd vm restart' sets it to the current time.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Restart string `json:"restart,omitempty"`

	// Reset is any text. When it changes, the virtual machine gets a new disk at
	// its next start, and all images, containers, volumes and networks are
	// deleted. 'rdd vm reset' sets it to the current time.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Reset string `json:"reset,omitempty"`
}

// AppSpec defines the desired state of an rdd instance.
// +kubebuilder:validation:XValidation:rule=`!has(self.vm) || !has(self.vm.driver) || self.vm.driver != 'external' || !has(self.containerEngine) || !((has(self.containerEngine.registryMirrors) && size(self.containerEngine.registryMirrors) > 0) || (has(self.containerEngine.insecureRegistries) && size(self.containerEngine.insecureRegistries) > 0) || (has(self.containerEngine.dns) && size(self.containerEngine.dns) > 0) || (has(self.containerEngine.extraArgs) && size(self.containerEngine.extraArgs) > 0) || has(self.containerEngine.config) || (has(self.containerEngine.proxy) && ((has(self.containerEngine.proxy.http) && size(self.containerEngine.proxy.http) > 0) || (has(self.containerEngine.proxy.https) && size(self.containerEngine.proxy.https) > 0) || (has(self.containerEngine.proxy.no) && size(self.containerEngine.proxy.no) > 0))))`,message="vm.driver=external uses an engine that rdd does not configure; remove the settings with 'rdd set containerEngine.registryMirrors= containerEngine.insecureRegistries= containerEngine.dns= containerEngine.extraArgs= containerEngine.config= containerEngine.proxy.http= containerEngine.proxy.https= containerEngine.proxy.no='"
type AppSpec struct {
	// Running is the desired state of the engine: true if it should run, false if
	// it should be stopped.
	// +kubebuilder:default=false
	// +optional
	Running bool `json:"running"`

	// Namespace is the Kubernetes namespace of the mirrors. It is immutable.
	// +kubebuilder:default=rancher-desktop
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="namespace is immutable; use another instance, or run 'rdd svc stop', 'rdd svc reset' and 'rdd svc start --namespace NAME'"
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// ContainerEngine selects and configures the container engine.
	// +kubebuilder:default={}
	// +optional
	ContainerEngine ContainerEngine `json:"containerEngine,omitempty"`

	// VM selects the driver that runs the engine, and configures its virtual
	// machine.
	// +kubebuilder:default={}
	// +optional
	VM VM `json:"vm,omitempty"`
}

// Types of the App's conditions.
const (
	// ConditionRunning is True while the engine or its virtual machine runs.
	ConditionRunning = "Running"
	// ConditionEngineReady is True when the engine answers and all of its objects
	// are mirrored. The message counts objects that could not be mirrored.
	ConditionEngineReady = "ContainerEngineReady"
	// ConditionSettled is True when the spec of the observed generation is fully
	// applied.
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
	// ReasonIdle means that the virtual machine was stopped because of vm.idleStop,
	// and that the next use of the engine starts it.
	ReasonIdle = "Idle"
)

// Reasons of ConditionEngineReady. ReasonStopped and ReasonIdle are two more.
const (
	ReasonConnected     = "Connected"
	ReasonConnectFailed = "ConnectFailed"
	// ReasonDisconnected means that rdd is connecting, reconnecting, or has not
	// yet mirrored all objects. The message says which.
	ReasonDisconnected  = "Disconnected"
	ReasonNotApplicable = "NotApplicable"
)

// ReasonSettled is the reason of a true ConditionSettled. A false one has the
// reason of the condition that it waits for.
const ReasonSettled = "Settled"

// ReasonRefused is the reason of a false ConditionSettled when the spec cannot
// be applied until a cause is fixed, such as an invalid file or a missing
// program. rdd checks a refused change again every 30 seconds, and retries a failed
// start with back-off.
const ReasonRefused = "Refused"

// VMStatus is the observed state of the driver.
type VMStatus struct {
	// Driver is the driver in use. It is never auto.
	// +optional
	Driver DriverName `json:"driver,omitempty"`
	// DriverReason says why this driver was selected.
	// +optional
	DriverReason string `json:"driverReason,omitempty"`
	// Endpoint is the address of the engine, such as unix:///path/docker.sock.
	// +optional
	Endpoint string `json:"endpoint,omitempty"`
}

// EngineStatus is the observed state of the container engine.
type EngineStatus struct {
	// Version is the version of the engine.
	// +optional
	Version string `json:"version,omitempty"`
	// APIVersion is the version of the engine's API that rdd uses.
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`
}

// AppStatus is the observed state of an rdd instance.
type AppStatus struct {
	// Hub is the hub that this machine has joined, with 'rdd join'; absent if there is none.
	// +optional
	Hub *HubStatus `json:"hub,omitempty"`
	// Conditions are Running, ContainerEngineReady, Settled and, if this machine has joined
	// a hub, HubSynced.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// VM is the observed state of the driver.
	// +optional
	VM VMStatus `json:"vm,omitempty"`
	// Engine is the observed state of the container engine.
	// +optional
	Engine EngineStatus `json:"engine,omitempty"`
}

// App represents one rdd instance: the container engine that it runs, and how.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,path=apps,singular=app,categories=rdd
// +kubebuilder:printcolumn:name="Desired",type=boolean,JSONPath=`.spec.running`
// +kubebuilder:printcolumn:name="Running",type=string,JSONPath=`.status.conditions[?(@.type=="Running")].reason`
// +kubebuilder:printcolumn:name="Engine",type=string,JSONPath=`.status.conditions[?(@.type=="ContainerEngineReady")].reason`
// +kubebuilder:printcolumn:name="Settled",type=string,JSONPath=`.status.conditions[?(@.type=="Settled")].status`
// +kubebuilder:printcolumn:name="Driver",type=string,JSONPath=`.status.vm.driver`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'app'",message="there is one App and its name is 'app'; change that one, or use another instance with 'rdd --instance NAME'"
type App struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the desired state of the instance.
	// +kubebuilder:default={}
	Spec AppSpec `json:"spec,omitempty"`
	// Status is the observed state of the instance. It is read-only.
	Status AppStatus `json:"status,omitempty"`
}

// AppList is a list of Apps.
// +kubebuilder:object:root=true
type AppList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []App `json:"items"`
}
