package kubemerge

import (
	"fmt"
	"path/filepath"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// Entry is what is added to a kubeconfig: a cluster, a user and a context of one name.
// They name the files of the instance with the certificate and the token. So the user's
// kubeconfig has no secret, a new token needs no merge, and the paths identify the
// entries as the instance's.
type Entry struct {
	Name string
	// Server is the URL of the API server. It has the port, which can change.
	Server string
	// Namespace is the default namespace of the context.
	Namespace string

	certificate, token string
}

// EntryFor returns the entry of an instance.
func EntryFor(inst instance.Instance, name, server, namespace string) Entry {
	return Entry{
		Name: name, Server: server, Namespace: namespace,
		certificate: filepath.Join(inst.TLSDir, filename.Certificate),
		token:       filepath.Join(inst.TLSDir, filename.Token),
	}
}

func (e Entry) ownsCluster(cluster *clientcmdapi.Cluster) bool {
	return cluster.CertificateAuthority == e.certificate
}

func (e Entry) ownsUser(user *clientcmdapi.AuthInfo) bool { return user.TokenFile == e.token }

// ownsContext reports whether a context connects the entry's cluster and user. Both can
// belong to another program.
func (e Entry) ownsContext(context *clientcmdapi.Context) bool {
	return context.Cluster == e.Name && context.AuthInfo == e.Name
}

// ForeignError reports that a kubeconfig has an entry of the same name that is not rdd's.
type ForeignError struct {
	// Kind is cluster, user or context.
	Kind, Name, File string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("kubeconfig %s has a %s %q that is not rdd's, so nothing was changed: remove it with 'kubectl config delete-%[2]s %[3]s', or use 'rdd env' instead", e.File, e.Kind, e.Name)
}
