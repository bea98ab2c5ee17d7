package hubtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Names of files in the directory of a cluster.
const (
	authorityFile  = "ca.crt"
	serverFile     = "server.crt"
	serverKeyFile  = "server.key"
	accountKeyFile = "sa.key"
	adminFile      = "admin.kubeconfig"
)

// contextName is the context in kubeconfigs.
const contextName = "hub"

// WriteKubeconfig writes a kubeconfig for the configuration of a user.
func WriteKubeconfig(path string, config *rest.Config) error {
	out := clientcmdapi.NewConfig()
	out.Clusters[contextName] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	out.AuthInfos[contextName] = &clientcmdapi.AuthInfo{
		Token: config.BearerToken, ClientCertificateData: config.CertData, ClientKeyData: config.KeyData,
	}
	out.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: contextName}
	out.CurrentContext = contextName
	if err := clientcmd.WriteToFile(*out, path); err != nil {
		return fmt.Errorf("write the kubeconfig %s: %w", path, err)
	}
	return nil
}

// AdminConfig returns a configuration of an administrator, without a rate limit.
func (c *Cluster) AdminConfig() *rest.Config { return rest.CopyConfig(c.admin) }

// AnonymousConfig returns a configuration without credentials. A caller that has a token
// sets it there.
func (c *Cluster) AnonymousConfig() *rest.Config {
	return &rest.Config{
		Host:            "https://" + c.apiPort.address(),
		TLSClientConfig: rest.TLSClientConfig{CAData: c.authority.pem},
		QPS:             -1,
	}
}

// UserConfig returns a configuration of a user, who has no rights before a role is bound
// to the user or one of the groups.
func (c *Cluster) UserConfig(user string, groups ...string) (*rest.Config, error) {
	config := c.AnonymousConfig()
	var err error
	config.CertData, config.KeyData, err = c.authority.client(user, groups...)
	return config, err
}

// Kubeconfig returns the path of an administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.path(adminFile) }

func (c *Cluster) path(name string) string { return filepath.Join(c.dir, name) }

// writeFiles creates the certificates and what else the programs read.
func (c *Cluster) writeFiles() error {
	var err error
	if c.authority, err = newAuthority(); err != nil {
		return err
	}
	serving, servingKey, err := c.authority.server()
	if err != nil {
		return err
	}
	_, accountKey, err := newKey()
	if err != nil {
		return err
	}
	if c.admin, err = c.UserConfig("admin", "system:masters"); err != nil {
		return err
	}
	var errs []error
	for name, text := range map[string][]byte{
		authorityFile: c.authority.pem, serverFile: serving, serverKeyFile: servingKey,
		accountKeyFile: accountKey, auditPolicyFile: c.auditPolicy(),
	} {
		errs = append(errs, os.WriteFile(c.path(name), text, 0o600))
	}
	return errors.Join(append(errs, WriteKubeconfig(c.Kubeconfig(), c.admin))...)
}
