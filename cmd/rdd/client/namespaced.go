package client

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// ConfigFor returns the path of a kubeconfig whose default namespace is namespace.
// If that of the instance has another one, ConfigFor writes a second file.
//
// The namespace cannot be passed to kubectl as a flag, because kubectl then rejects
// manifests of other namespaces.
func ConfigFor(inst instance.Instance, namespace string) (string, error) {
	config, err := clientcmd.LoadFromFile(inst.Config)
	if err != nil {
		return "", fmt.Errorf("read kubeconfig %s: %w", inst.Config, err)
	}
	current, found := config.Contexts[config.CurrentContext]
	if !found {
		return "", fmt.Errorf("kubeconfig %s has no current context: 'rdd svc restart' writes a new one", inst.Config)
	}
	if current.Namespace == namespace {
		return inst.Config, nil
	}
	current.Namespace = namespace
	path := filepath.Join(inst.Dir, "config-"+namespace+".yaml")
	text, err := clientcmd.Write(*config)
	if err == nil {
		err = replaceIfDifferent(path, text)
	}
	if err != nil {
		return "", fmt.Errorf("write kubeconfig for namespace %s: %w", namespace, err)
	}
	return path, nil
}

// replaceIfDifferent writes a file unless it has this content already. Many commands
// do so in parallel, also on a full disk.
func replaceIfDifferent(path string, content []byte) error {
	if before, err := os.ReadFile(path); err == nil && bytes.Equal(before, content) {
		return nil
	}
	return instance.ReplaceFile(path, content)
}
