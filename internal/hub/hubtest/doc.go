// Package hubtest runs a hub for tests: a real kube-apiserver with etcd and, as an
// option, kube-controller-manager, which `make kube` builds. They listen on loopback,
// with RBAC and with certificates of their own, and end with the test process.
//
// Start runs a hub for one test. An API server takes seconds to start, so tests that
// leave no objects behind share one:
//
//	var shared = hubtest.NewShared(hubtest.WithControllerManager())
//
//	func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }
//
//	func TestJoin(t *testing.T) { hub := shared.Hub(t) … }
//
// A test is skipped unless RDD_TEST_KUBE=1 is set, as 'make hub-test' does; then it fails
// without the programs. With RDD_TEST_KUBE_STORE, the endpoint of another server with the API
// of etcd, the hubs use that one, each with a prefix of its own.
//
// Reading map:
//
//	hub.go           a hub for one test
//	shared.go        a hub for the tests of a package
//	installed.go     the same with the objects of 'rdd hub install'
//	cluster.go       the three programs: start, stop, kill
//	flags.go         their command lines
//	store.go         another datastore than etcd
//	backup.go        backups of the data, and their restoration
//	config.go        client configurations and kubeconfigs
//	certificates.go  the certificate authority
//	audit.go         the log of requests
//	link.go          a network between client and hub that can fail
//	programs.go      finds the programs
//	etcd.go          etcd alone
//	child*.go        a program that ends with this process
//	port.go          a reserved port
package hubtest
