package kubemerge

import (
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Result is what Merge did.
type Result struct {
	// File has the context.
	File string
	// Changed is set if a file was changed.
	Changed bool
	// Current is the current context.
	Current string
}

// Merge adds an entry to files, which UserFiles returns, or updates it where it is. Its
// context becomes the current one only if there is none. Merge returns a *ForeignError,
// and changes nothing, if a file has another entry of this name.
func Merge(files []string, e Entry) (Result, error) {
	var result Result
	err := change(files, true, func(all []*kubeconfig, target *kubeconfig) error {
		if err := e.checkForeign(all); err != nil {
			return err
		}
		e.setCluster(first(all, target, func(c *clientcmdapi.Config) bool { return c.Clusters[e.Name] != nil }))
		e.setUser(first(all, target, func(c *clientcmdapi.Config) bool { return c.AuthInfos[e.Name] != nil }))
		holder := first(all, target, func(c *clientcmdapi.Config) bool { return c.Contexts[e.Name] != nil })
		e.setContext(holder)
		result.File = holder.path
		for _, k := range all {
			if result.Current == "" {
				result.Current = k.config.CurrentContext
			}
		}
		if result.Current == "" {
			target.config.CurrentContext, target.changed = e.Name, true
			result.Current = e.Name
		}
		for _, k := range all {
			result.Changed = result.Changed || k.changed
		}
		return nil
	})
	return result, err
}

// first returns the first file with an entry, else target.
func first(all []*kubeconfig, target *kubeconfig, has func(*clientcmdapi.Config) bool) *kubeconfig {
	for _, k := range all {
		if has(k.config) {
			return k
		}
	}
	return target
}

// checkForeign returns a *ForeignError for an entry of the same name that is not rdd's.
func (e Entry) checkForeign(all []*kubeconfig) error {
	for _, k := range all {
		kind := ""
		if found := k.config.Clusters[e.Name]; found != nil && !e.ownsCluster(found) {
			kind = "cluster"
		}
		if found := k.config.AuthInfos[e.Name]; found != nil && !e.ownsUser(found) {
			kind = "user"
		}
		if found := k.config.Contexts[e.Name]; found != nil && !e.ownsContext(found) {
			kind = "context"
		}
		if kind != "" {
			return &ForeignError{Kind: kind, Name: e.Name, File: k.path}
		}
	}
	return nil
}

func (e Entry) setCluster(k *kubeconfig) {
	cluster := k.config.Clusters[e.Name]
	if cluster == nil {
		cluster = &clientcmdapi.Cluster{CertificateAuthority: e.certificate}
		k.config.Clusters[e.Name] = cluster
	}
	if cluster.Server != e.Server {
		cluster.Server, k.changed = e.Server, true
	}
}

func (e Entry) setUser(k *kubeconfig) {
	if k.config.AuthInfos[e.Name] == nil {
		k.config.AuthInfos[e.Name] = &clientcmdapi.AuthInfo{TokenFile: e.token}
		k.changed = true
	}
}

// setContext keeps the namespace of a context that exists: the user may have chosen it.
func (e Entry) setContext(k *kubeconfig) {
	if k.config.Contexts[e.Name] == nil {
		k.config.Contexts[e.Name] = &clientcmdapi.Context{Cluster: e.Name, AuthInfo: e.Name, Namespace: e.Namespace}
		k.changed = true
	}
}

// Refresh writes the address of the API server to files that have an entry, and reports
// whether it changed one.
func Refresh(files []string, e Entry) (changed bool, err error) {
	if current, err := e.isCurrent(files); current || err != nil || len(files) == 0 {
		return false, err
	}
	err = change(files, false, func(all []*kubeconfig, _ *kubeconfig) error {
		for _, k := range all {
			if cluster := k.config.Clusters[e.Name]; cluster != nil && e.ownsCluster(cluster) {
				e.setCluster(k)
			}
			changed = changed || k.changed
		}
		return nil
	})
	return changed, err
}

// isCurrent reports whether no file has another address, without a lock.
func (e Entry) isCurrent(files []string) (bool, error) {
	for _, file := range files {
		k, err := load(file)
		if err != nil {
			return false, err
		}
		cluster := k.config.Clusters[e.Name]
		if cluster != nil && e.ownsCluster(cluster) && cluster.Server != e.Server {
			return false, nil
		}
	}
	return true, nil
}

// IsIn reports whether a file has a part of the entry. It takes no lock.
func (e Entry) IsIn(files []string) (bool, error) {
	for _, file := range files {
		k, err := load(file)
		if err != nil {
			return false, err
		}
		cluster, user := k.config.Clusters[e.Name], k.config.AuthInfos[e.Name]
		if cluster != nil && e.ownsCluster(cluster) || user != nil && e.ownsUser(user) {
			return true, nil
		}
	}
	return false, nil
}

// Remove removes an entry from files, except for the parts that other programs have
// replaced. If its context was the current one, there is none afterwards. It returns the
// files that it changed.
func Remove(files []string, e Entry) (changed []string, err error) {
	if has, err := e.IsIn(files); !has || err != nil {
		return nil, err
	}
	err = change(files, false, func(all []*kubeconfig, _ *kubeconfig) error {
		hasForeignCluster := false
		for _, k := range all {
			if found := k.config.Clusters[e.Name]; found != nil && !e.ownsCluster(found) {
				hasForeignCluster = true
			}
		}
		removed := false
		for _, k := range all {
			e.removeFrom(k)
			removed = e.removeContext(k, hasForeignCluster) || removed
		}
		for _, k := range all {
			if removed && k.config.CurrentContext == e.Name {
				k.config.CurrentContext, k.changed = "", true
			}
			if k.changed {
				changed = append(changed, k.path)
			}
		}
		return nil
	})
	return changed, err
}

// removeFrom removes the cluster and the user.
func (e Entry) removeFrom(k *kubeconfig) {
	if found := k.config.Clusters[e.Name]; found != nil && e.ownsCluster(found) {
		delete(k.config.Clusters, e.Name)
		k.changed = true
	}
	if found := k.config.AuthInfos[e.Name]; found != nil && e.ownsUser(found) {
		delete(k.config.AuthInfos, e.Name)
		k.changed = true
	}
}

// removeContext removes the context, unless it connects to a cluster of another program.
func (e Entry) removeContext(k *kubeconfig, isForeign bool) (removed bool) {
	found := k.config.Contexts[e.Name]
	if found == nil || isForeign || !e.ownsContext(found) {
		return false
	}
	delete(k.config.Contexts, e.Name)
	k.changed = true
	return true
}
