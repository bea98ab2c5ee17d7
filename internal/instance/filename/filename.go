// Package filename names the files of an instance. The packages that write a file and
// the removal of an instance use the same name, so a removal misses no file.
//
// Each group lists the files of one directory of an instance.Instance.
package filename

// Files in Dir.
const (
	// Owner is in ShortDir too. It names the instance that a directory belongs to.
	Owner        = "instance"
	Config       = "config.yaml"
	Pid          = "rdd.pid"
	Args         = "args.json"
	Run          = "run.json"
	KubectlCache = "kubectl-cache"
	// Clients has the configurations of other programs that name the instance.
	Clients = "clients.json"
)

// Files in TLSDir.
const (
	Certificate = "tls.crt"
	Key         = "tls.key"
	Token       = "token"
	// ReadOnlyToken is the token for clients that only read.
	// HubKubeconfig names the hub that this machine has joined. HubToken begins the name of
	// the token for it.
	HubKubeconfig = "hub.kubeconfig"
	HubToken      = "hub.token"
	ReadOnlyToken = "read-only-token"
	// Port has the last port of the API server.
	Port = "port"
	// PagePort has the last port of the page, and PageSessions the digests of its sessions.
	PagePort     = "page-port"
	PageSessions = "page-sessions"
	// Revision has the reserved revisions of the datastore. It is in TLSDir because a
	// reset keeps that directory.
	Revision = "revision"
)

// Files in DataDir.
const (
	// Engine is also the directory in ShortDir for the runtime state of the engine.
	Engine    = "engine"
	Datastore = "state.db"
	Ballast   = "ballast"
	// NewBallast is renamed to Ballast when it is complete.
	NewBallast = "ballast.new"
	// HubRequests has the requests on a hub that were carried out.
	HubRequests = "hub-requests"
)

// Files in ShortDir.
const (
	DockerSocket          = "docker.sock"
	ContainerdSocket      = "containerd.sock"
	ContainerdTTRPCSocket = "containerd.sock.ttrpc"
)

// Files in LimaHome.
const (
	// VM is Lima's directory of the instance's VM.
	VM              = "rdd"
	LimaConfig      = "_config"
	LimaCache       = "_cache"
	LimaDisks       = "_disks"
	LimaNetworks    = "_networks"
	Scratch         = "_tmp"
	GuestAgents     = "_guestagent"
	HostAgentConfig = "hostagent.json"
	HostAgentPid    = "hostagent.pid"
	HostAgentSocket = "hostagent.sock"
	// Acceleration has the result of probing for hardware acceleration.
	Acceleration = "accel.json"
	Resets       = "resets.json"
	End          = "end.json"
	// Making exists while a VM's directory is created or removed.
	Making = "making"
)

// Files in LogDir.
const (
	DaemonLog     = "rdd.log"
	DaemonStderr  = "rdd.stderr.log"
	DockerdLog    = "dockerd.log"
	ContainerdLog = "containerd.log"
	HostAgentLog  = "hostagent.log"
)
