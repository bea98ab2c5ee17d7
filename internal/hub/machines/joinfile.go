package machines

import (
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// clusterName is the name of the hub in a join file.
const clusterName = "hub"

// JoinFile returns the file with which a machine joins a hub: a kubeconfig. The context has
// the name of the machine, and its namespace, which is the same. server is the
// configuration of any client of the hub. Without a token, the file has a user without
// credentials.
func JoinFile(server *rest.Config, added *Added) ([]byte, error) {
	cluster, err := clusterOf(server)
	if err != nil {
		return nil, fmt.Errorf("create a join file for machine %s: %w", added.Name, err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[clusterName] = cluster
	config.AuthInfos[added.Name] = &clientcmdapi.AuthInfo{Token: added.Token}
	config.Contexts[added.Name] = &clientcmdapi.Context{Cluster: clusterName, AuthInfo: added.Name, Namespace: added.Name}
	config.CurrentContext = added.Name
	text, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("create a join file for machine %s: %w", added.Name, err)
	}
	return text, nil
}

// clusterOf returns where a hub is, and how to verify it, and no credentials.
func clusterOf(server *rest.Config) (*clientcmdapi.Cluster, error) {
	url, _, err := rest.DefaultServerUrlFor(server)
	if err != nil {
		return nil, err
	}
	cluster := &clientcmdapi.Cluster{
		Server:                   url.String(),
		TLSServerName:            server.ServerName,
		InsecureSkipTLSVerify:    server.Insecure,
		CertificateAuthorityData: server.CAData,
		DisableCompression:       server.DisableCompression,
	}
	if len(server.CAData) == 0 && server.CAFile != "" {
		if cluster.CertificateAuthorityData, err = os.ReadFile(server.CAFile); err != nil {
			return nil, fmt.Errorf("read the certificate authority of the hub: %w", err)
		}
	}
	return cluster, nil
}
