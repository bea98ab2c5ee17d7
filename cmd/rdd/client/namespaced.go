package client

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// ConfigFor returns the path of a kubeconfig of the instance whose default
// namespace is namespace. That is the instance's own, unless the mirrors live
// elsewhere.
//
// A kubectl that is told the namespace as if by a flag would refuse manifests
// of any other namespace, so it has to come from the kubeconfig.
func ConfigFor(inst instance.Instance, namespace string) (string, error) {
	config, err := clientcmd.LoadFromFile(inst.Config)
	if err != nil {
		return "", fmt.Errorf("read kubeconfig %s: %w", inst.Config, err)
	}
	current, found := config.Contexts[config.CurrentContext]
	if !found {
		return "", fmt.Errorf("kubeconfig %s has no current context; write it anew with 'rdd svc restart'", inst.Config)
	}
	if current.Namespace == namespace {
		return inst.Config, nil
	}
	current.Namespace = namespace
	path := filepath.Join(inst.Dir, "config-"+namespace+".yaml")
	text, err := clientcmd.Write(*config)
	if err == nil {
		err = replaceIfOther(path, text)
	}
	if err != nil {
		return "", fmt.Errorf("write kubeconfig for namespace %s: %w", namespace, err)
	}
	return path, nil
}

// replaceIfOther leaves a file that has this content already as it is: many
// commands run at the same time, also on a disk that is full.
func replaceIfOther(path string, content []byte) error {
	if before, err := os.ReadFile(path); err == nil && bytes.Equal(before, content) {
		return nil
	}
	return instance.ReplaceFile(path, content)
}
