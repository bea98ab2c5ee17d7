package controlplane

import (
	"sort"

	"k8s.io/apiextensions-apiserver/pkg/apihelpers"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	v1 "k8s.io/apiextensions-apiserver/pkg/client/listers/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/apiserver/pkg/endpoints/discovery"
	"k8s.io/client-go/tools/cache"
)

// groupList adds the groups of custom resources to the list of groups at /apis, which
// older clients request. Newer clients request the aggregated discovery, which the
// server of custom resources maintains itself.
type groupList struct {
	groups discovery.GroupManager
	crds   v1.CustomResourceDefinitionLister
}

// publishGroups updates the list of groups whenever a definition changes.
func (s *apiServers) publishGroups() error {
	informer := s.crds.Informers.Apiextensions().V1().CustomResourceDefinitions()
	list := groupList{groups: s.core.DiscoveryGroupManager, crds: informer.Lister()}
	// The server of custom resources also serves the group of the definitions.
	list.groups.AddGroup(apiGroupOf(apiextensionsv1.GroupName, sets.New(apiextensionsv1.SchemeGroupVersion.Version)))
	_, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    list.changed,
		UpdateFunc: func(_, object any) { list.changed(object) },
		DeleteFunc: list.changed,
	})
	return err
}

func (l groupList) changed(object any) {
	if tombstone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = tombstone.Obj
	}
	crd, ok := object.(*apiextensionsv1.CustomResourceDefinition)
	if !ok {
		return
	}
	all, err := l.crds.List(labels.Everything())
	if err != nil {
		return // listing from memory does not fail
	}
	versions := sets.New[string]()
	for _, other := range all {
		if other.Spec.Group != crd.Spec.Group || !apihelpers.IsCRDConditionTrue(other, apiextensionsv1.Established) {
			continue
		}
		for _, version := range other.Spec.Versions {
			if version.Served {
				versions.Insert(version.Name)
			}
		}
	}
	if versions.Len() == 0 {
		l.groups.RemoveGroup(crd.Spec.Group)
		return
	}
	l.groups.AddGroup(apiGroupOf(crd.Spec.Group, versions))
}

// apiGroupOf returns a group with its versions, the preferred one first.
func apiGroupOf(group string, versions sets.Set[string]) metav1.APIGroup {
	names := versions.UnsortedList()
	sort.Slice(names, func(i, j int) bool { return version.CompareKubeAwareVersionStrings(names[i], names[j]) > 0 })
	result := metav1.APIGroup{Name: group}
	for _, name := range names {
		result.Versions = append(result.Versions, metav1.GroupVersionForDiscovery{GroupVersion: group + "/" + name, Version: name})
	}
	result.PreferredVersion = result.Versions[0]
	return result
}
