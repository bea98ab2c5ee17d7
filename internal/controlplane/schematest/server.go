// Package schematest validates mirrors and requests against the served definitions, as the
// API server validates the writes of clients. The daemon writes mirrors directly to the
// storage, so its mirrors must be valid, and must be served as they are stored.
package schematest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	schemas "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/yaml"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
)

// Server validates and serves objects as the API server does between a client and the
// storage. Its keys are kinds.
type Server map[string]served

// served is a kind, prepared by the API server's code from its definition.
type served struct {
	structural *schema.Structural
	strategy   rest.RESTCreateStrategy
}

// New prepares the definitions of the mirrors.
func New(t testing.TB) Server { return newServer(t, containersv1.Kinds()) }

// NewRequests prepares the definitions of the requests.
func NewRequests(t testing.TB) Server { return newServer(t, containersv1.RequestKinds()) }

// kind is a kind of mirrors or of requests.
type kind interface {
	~string
	GroupVersionResource() schemas.GroupVersionResource
	GroupVersionKind() schemas.GroupVersionKind
}

func newServer[K kind](t testing.TB, kinds []K) Server {
	t.Helper()
	server := Server{}
	for _, k := range kinds {
		one, err := serve(k.GroupVersionResource(), k.GroupVersionKind())
		if err != nil {
			t.Fatalf("serve kind %s: %v", k, err)
		}
		server[string(k)] = one
	}
	return server
}

func serve(resource schemas.GroupVersionResource, kind schemas.GroupVersionKind) (served, error) {
	var result served
	data, err := crds.FS.ReadFile(resource.Group + "_" + resource.Resource + ".yaml")
	if err != nil {
		return result, err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &definition); err != nil {
		return result, err
	}
	version := definition.Spec.Versions[0]
	var internal apiextensions.CustomResourceValidation
	if err := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation(version.Schema, &internal, nil); err != nil {
		return result, err
	}
	structural, err := schema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return result, err
	}
	result.structural = structural.DeepCopy()
	if err := defaulting.PruneDefaults(result.structural); err != nil {
		return result, err
	}
	validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return result, err
	}
	status := internal.OpenAPIV3Schema.Properties["status"]
	statusValidator, _, err := validation.NewSchemaValidator(&status)
	if err != nil {
		return result, err
	}
	result.strategy = customresource.NewStrategy(nil, true, kind, validator, statusValidator, result.structural,
		&apiextensions.CustomResourceSubresourceStatus{}, nil, version.SelectableFields)
	return result, nil
}

// Check fails the test unless the API server would accept the mirror, and serve it as
// it is stored.
func (s Server) Check(t testing.TB, mirror containersv1.Mirror) {
	t.Helper()
	mirror.GetObjectKind().SetGroupVersionKind(mirror.MirrorKind().GroupVersionKind())
	stored, err := json.Marshal(mirror)
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(stored); err != nil {
		t.Fatalf("read %s: %v", stored, err)
	}
	if complaints := s.Complaints(obj); len(complaints) > 0 {
		t.Fatalf("%s: %v", stored, complaints.ToAggregate())
	}
	if difference := cmp.Diff(obj.Object, s.Serve(t, obj)); difference != "" {
		t.Fatalf("the mirror is served differently from its stored form:\n%s", difference)
	}
	again := containersv1.NewMirror(mirror.MirrorKind())
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(obj.Object, again, true); err != nil {
		t.Fatalf("read %s as a mirror: %v", stored, err)
	}
	if !again.SameStatus(mirror) {
		t.Fatalf("the mirror differs after writing and reading:\n%s", cmp.Diff(mirror, again))
	}
}

// Complaints returns the validation errors of a new object: schema, formats, list keys,
// rules and metadata.
func (s Server) Complaints(obj *unstructured.Unstructured) field.ErrorList {
	return s[obj.GetKind()].strategy.Validate(context.Background(), obj.DeepCopy())
}

// Serve returns an object as the API server serves it after reading it from the
// storage.
func (s Server) Serve(t testing.TB, obj *unstructured.Unstructured) map[string]any {
	t.Helper()
	structural := s[obj.GetKind()].structural
	content := obj.DeepCopy().Object
	metadata, _, err := objectmeta.GetObjectMeta(content, true)
	if err != nil {
		t.Fatal(err)
	}
	pruning.Prune(content, structural, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(content, structural)
	if err := objectmeta.Coerce(nil, content, structural, false, true); err != nil {
		t.Fatal(err)
	}
	if err := objectmeta.SetObjectMeta(content, metadata); err != nil {
		t.Fatal(err)
	}
	content["apiVersion"], content["kind"] = obj.GetAPIVersion(), obj.GetKind()
	defaulting.Default(content, structural)
	return content
}
