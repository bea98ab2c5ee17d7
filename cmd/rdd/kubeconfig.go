package main

import (
	"cmp"
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/dockercontext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/kubemerge"
)

type kubeconfigCmd struct {
	Merge bool `help:"Add the context of the instance to your own kubeconfig ($$KUBECONFIG, else ~/.kube/config). It becomes the current one only if there is none."`
}

// Run implements the command. It works without a daemon, after the first start.
func (c *kubeconfigCmd) Run(s *session) error {
	if _, err := client.KubeconfigText(s.instance); err != nil {
		return err
	}
	name, namespace := dockercontext.Name(s.instance), s.mirrorsNamespace()
	if !c.Merge {
		return s.printKubeconfig(name, namespace)
	}
	server, err := serverOf(s.instance)
	if err != nil {
		return err
	}
	files, err := kubemerge.UserFiles(s.instance.Dir)
	if err != nil {
		return err
	}
	if err := recordClientFiles(s.instance, clientFiles{Kubeconfigs: files}); err != nil {
		return err
	}
	result, err := kubemerge.Merge(files, kubemerge.EntryFor(s.instance, name, server, namespace))
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, mergeText(result, name))
	return nil
}

// mergeText says where the context is, and whether kubectl uses it.
func mergeText(result kubemerge.Result, name string) string {
	text := fmt.Sprintf("context %q was added to %s", name, result.File)
	if !result.Changed {
		text = fmt.Sprintf("context %q is in %s", name, result.File)
	}
	if result.Current == name {
		return text + ", and is the current one"
	}
	return text + fmt.Sprintf("; the current one is still %q: use 'kubectl --context %s', or 'kubectl config use-context %[2]s'", result.Current, name)
}

// mirrorsNamespace returns the namespace of the mirrors, from the daemon if one runs.
func (s *session) mirrorsNamespace() string {
	if app, err := s.runningApp(); err == nil {
		return cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace)
	}
	args, err := s.instance.LoadArgs()
	if err != nil {
		return appv1.DefaultNamespace
	}
	return cmp.Or(args.Namespace, appv1.DefaultNamespace)
}

// printKubeconfig prints the instance's kubeconfig with the names of its docker context.
// It contains the token.
func (s *session) printKubeconfig(name, namespace string) error {
	config, err := clientcmd.LoadFromFile(s.instance.Config)
	if err != nil {
		return fmt.Errorf("read kubeconfig %s: %w", s.instance.Config, err)
	}
	current := config.Contexts[config.CurrentContext]
	if current == nil || config.Clusters[current.Cluster] == nil || config.AuthInfos[current.AuthInfo] == nil {
		return fmt.Errorf("kubeconfig %s is not complete: 'rdd svc restart' writes a new one", s.instance.Config)
	}
	named := clientcmdapi.NewConfig()
	named.Clusters[name] = config.Clusters[current.Cluster]
	named.AuthInfos[name] = config.AuthInfos[current.AuthInfo]
	named.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: namespace}
	named.CurrentContext = name
	text, err := clientcmd.Write(*named)
	if err == nil {
		_, err = s.out.Write(text)
	}
	if err != nil {
		return fmt.Errorf("print the kubeconfig: %w", err)
	}
	return nil
}
