package controlplane

import (
	"fmt"
	"net"
	"strconv"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	clientcmdlatest "k8s.io/client-go/tools/clientcmd/api/latest"

	"k8s.io/apimachinery/pkg/runtime"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// writeKubeconfig writes the kubeconfig. trusted verifies the server. The namespace is
// the default one of the mirrors, so that clients find them without -n.
func writeKubeconfig(opts Options, trusted []byte, token string, port int) error {
	config := clientcmdapi.NewConfig()
	config.Clusters[opts.ContextName] = &clientcmdapi.Cluster{
		Server:                   "https://" + net.JoinHostPort(loopback, strconv.Itoa(port)),
		CertificateAuthorityData: trusted,
	}
	config.AuthInfos[opts.ContextName] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[opts.ContextName] = &clientcmdapi.Context{
		Cluster:   opts.ContextName,
		AuthInfo:  opts.ContextName,
		Namespace: appv1alpha1.DefaultNamespace,
	}
	config.CurrentContext = opts.ContextName
	data, err := runtime.Encode(clientcmdlatest.Codec, config)
	if err != nil {
		return fmt.Errorf("encode the kubeconfig: %w", err)
	}
	return writePrivate(opts.Kubeconfig, data)
}
