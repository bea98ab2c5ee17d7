package hubtest

// etcdFlags returns the command line of etcd. Its data outlives a kill without fsync,
// because the machine keeps running. It has one member, so no peer ever connects.
func (c *Cluster) etcdFlags() []string {
	const peer = "http://" + loopback + ":0"
	client := "http://" + c.etcdPort.address()
	return []string{
		"--name=hub",
		"--data-dir=" + c.path(dataDir),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=hub=" + peer,
		"--socket-reuse-port",
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

// apiServerFlags returns the command line of the API server.
func (c *Cluster) apiServerFlags() []string {
	flags := []string{
		"--bind-address=" + loopback,
		"--advertise-address=" + loopback,
		"--secure-port=" + c.apiPort.String(),
		"--permit-port-sharing",
		"--tls-cert-file=" + c.path(serverFile),
		"--tls-private-key-file=" + c.path(serverKeyFile),
		"--client-ca-file=" + c.path(authorityFile),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.path(accountKeyFile),
		"--service-account-signing-key-file=" + c.path(accountKeyFile),
		"--authorization-mode=RBAC",
		// There are no nodes and no pods.
		"--service-cluster-ip-range=10.0.0.0/24",
		"--endpoint-reconciler-type=none",
		"--profiling=false",
	}
	if c.store.isForeign() {
		flags = append(flags, c.store.flags()...)
	} else {
		flags = append(flags, "--etcd-servers=http://"+c.etcdPort.address())
	}
	if c.hasAuditLog {
		flags = append(flags,
			"--audit-policy-file="+c.path(auditPolicyFile),
			"--audit-log-path="+c.path(auditLogFile),
			"--audit-log-mode=blocking")
	}
	return append(flags, c.moreFlags...)
}

// managerFlags returns the command line of the controller manager, with the controllers
// that act on the objects of rdd.
func (c *Cluster) managerFlags() []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig(),
		"--bind-address=" + loopback,
		"--secure-port=" + c.managerPort.String(),
		"--permit-port-sharing",
		"--tls-cert-file=" + c.path(serverFile),
		"--tls-private-key-file=" + c.path(serverKeyFile),
		"--leader-elect=false",
		"--service-account-private-key-file=" + c.path(accountKeyFile),
		"--root-ca-file=" + c.path(authorityFile),
		"--use-service-account-credentials=false",
		"--controllers=clusterrole-aggregation-controller,garbage-collector-controller,namespace-controller," +
			"resourcequota-controller,serviceaccount-controller,serviceaccount-token-controller,validatingadmissionpolicy-status-controller",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--profiling=false",
	}
}
