package native

import "strings"

// permanentSigns returns error texts of an engine that fails in the same way at
// each start, until an argument, a file or the machine changes.
func permanentSigns() []string {
	return []string{
		"unknown flag", "unknown shorthand flag", "flag needs an argument", "bad flag syntax", "invalid argument \"",
		"unable to configure the Docker daemon", "both as a flag and in the configuration file", "conflicting options", "mutually exclusive options",
		"failed to load listeners", "Could not load X509 key pair", "could not read CA certificate", "unable to parse logging level",
		"Unable to get the full path to root", "specified default runtime",
		"error initializing graphdriver", "mount_setattr", "Devices cgroup isn't mounted", "unknown log opt", "failed to load containerd TOML",
	}
}

// isPermanent reports whether the output of an engine shows that it fails in the same way
// at each start. A port that another process uses can become free, and so can a full disk.
func isPermanent(output string) bool {
	for _, sign := range []string{"address already in use", "no space left on device"} {
		if strings.Contains(output, sign) {
			return false
		}
	}
	for _, sign := range permanentSigns() {
		if strings.Contains(output, sign) {
			return true
		}
	}
	return false
}

// hints maps error texts in an engine's log to what the user can do about them.
func hints() map[string]string {
	return map[string]string{
		"pid file found":                               "another dockerd uses the same pid file: stop it, or use another instance ('rdd --instance NAME')",
		"operation not permitted":                      "the engine needs root, or more privileges than this container or sandbox gives: run rdd as root on the host, or rootless",
		"mount_setattr":                                "this kernel is too old for the engine: use a newer kernel, or an older engine",
		"iptables":                                     "dockerd could not set up its firewall rules: install the package iptables, and check that the kernel has nat and conntrack",
		"error initializing graphdriver":               "no storage driver works on this file system: put the instance's directory on ext4, xfs or btrfs, or set RDD_DOCKERD_ARGS=--storage-driver=vfs (slow)",
		"Devices cgroup isn't mounted":                 "the cgroup file systems are not mounted: see https://docs.docker.com/engine/install/troubleshoot/",
		"both as a flag and in the configuration file": "RDD_DOCKERD_ARGS has an option that rdd sets itself: remove it with 'RDD_DOCKERD_ARGS= rdd svc restart'",
		"unknown flag":                                 "RDD_DOCKERD_ARGS has a flag that this dockerd does not know: correct it with 'RDD_DOCKERD_ARGS=… rdd svc restart'",
		"invalid argument \"":                          "RDD_DOCKERD_ARGS has a value that this dockerd rejects: correct it with 'RDD_DOCKERD_ARGS=… rdd svc restart'",
		"failed to load listeners":                     "RDD_DOCKERD_ARGS has an address, a port or a path on which dockerd cannot listen: correct it with 'RDD_DOCKERD_ARGS=… rdd svc restart'",
		"no space left on device":                      "the disk is full: free some space, and rdd retries the start",
		"newuidmap":                                    "rootless Docker needs the package uidmap, and lines for the user in /etc/subuid and /etc/subgid",
	}
}
