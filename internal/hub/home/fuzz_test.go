package home

import (
	"encoding/json"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// FuzzSkew makes up the definition of a hub: it never changes which object a mirror is, and
// an object that was made storable stays as it is.
func FuzzSkew(f *testing.F) {
	ours, err := ownDefinition(containersv1.KindContainer)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		`{"type":"object","properties":{"status":{"type":"object","properties":{"name":{"type":"string","default":"x"}}}}}`,
		`{"type":"object","x-kubernetes-preserve-unknown-fields":true}`, `{"type":"object","properties":{"metadata":{"type":"object"},"spec":{"type":"array"}}}`,
		`{"type":"object","properties":{"status":{"type":"object","additionalProperties":{"type":"integer","default":1.5}}}}`, `null`, `{"type":"string"}`,
		`{"type":"object","properties":{"status":{"type":"object","properties":{"exitCode":{"type":"string","default":"a"},"labels":{"type":"object","default":{"a":1}}}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		theirs := &apiextensionsv1.CustomResourceDefinition{}
		theirs.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{
			Name: containersv1.GroupVersion.Version, Served: true, Schema: &apiextensionsv1.CustomResourceValidation{},
		}}
		if json.Unmarshal(data, &theirs.Spec.Versions[0].Schema.OpenAPIV3Schema) != nil {
			return
		}
		s := &Skew{kinds: map[containersv1.Kind]*structuralschema.Structural{}}
		if s.compare(containersv1.KindContainer, ours, theirs) != nil {
			return
		}
		_ = s.Message()
		mirror := container()
		mirror.Name, mirror.Namespace, mirror.UID, mirror.ResourceVersion = "web", "laptop", "1", "2"
		stored := s.Storable(mirror)
		if stored.GetName() != "web" || stored.GetNamespace() != "laptop" || stored.GetUID() != "1" || stored.GetResourceVersion() != "2" {
			t.Errorf("the definition %s makes it %+v", data, stored)
		}
		if again := s.Storable(stored); !again.SameStatus(stored) {
			t.Errorf("the definition %s changes %+v twice", data, stored)
		}
	})
}

// FuzzStoredMirror makes up a mirror that a hub returns, of which rdd wrote only a part:
// what is recorded of managers and finalizers neither fails nor grows.
func FuzzStoredMirror(f *testing.F) {
	for _, seed := range []string{
		`{"metadata":{"name":"web","finalizers":["a","a"],"managedFields":[{"manager":"rdd","operation":"Update","fieldsV1":{"f:metadata":{"f:labels":{"f:a":{},".":{}}}}}]}}`,
		`{"metadata":{"managedFields":[{"manager":"rdd","operation":"Apply"},{"manager":"x","subresource":"status","fieldsV1":{}}],"labels":{"a":"b"}}}`,
		`{"status":{"labels":{"a":"b","":"x"},"name":"a\u0000"},"spec":{"state":"Running"}}`, `{"metadata":{"finalizers":null,"deletionTimestamp":"2026-01-01T00:00:00Z"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		mirror := &containersv1.Container{}
		if json.Unmarshal(data, mirror) != nil {
			return
		}
		claimManager(mirror)
		if !containersv1.HasOwnManager(mirror) {
			t.Errorf("rdd is no manager of %s", data)
		}
		managers := len(mirror.GetManagedFields())
		if claimManager(mirror); len(mirror.GetManagedFields()) != managers {
			t.Errorf("the managers of %s grow", data)
		}
		if labels := ownLabels(mirror); len(labels) > len(data) {
			t.Errorf("%s has the labels %q", data, labels)
		}
		for _, finalizer := range otherFinalizers(mirror) {
			if finalizer == containersv1.Finalizer {
				t.Errorf("%s is a finalizer of another controller", finalizer)
			}
		}
		if sent := withType(mirror); sent.GetManagedFields() != nil || sent.GetObjectKind().GroupVersionKind().Kind != string(containersv1.KindContainer) {
			t.Errorf("%s is sent as %+v", data, sent)
		}
	})
}
