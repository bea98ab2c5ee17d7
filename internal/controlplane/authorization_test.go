package controlplane

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"sigs.k8s.io/yaml"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
)

// ownDefinitions returns the definitions of rdd, and two of a user.
func ownDefinitions(t *testing.T) []*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	var found []*apiextensionsv1.CustomResourceDefinition
	files, err := crds.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := crds.FS.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(text, definition); err != nil {
			t.Fatal(err)
		}
		found = append(found, definition)
	}
	for _, plural := range []string{"widgets", "vaultsecrets"} {
		definition := &apiextensionsv1.CustomResourceDefinition{}
		definition.Spec.Group, definition.Spec.Names.Plural = "example.com", plural
		found = append(found, definition)
	}
	return found
}

func TestReadOnlyUserPermissions(t *testing.T) {
	definitions := ownDefinitions(t)
	p := &permissions{definitions: func() []*apiextensionsv1.CustomResourceDefinition { return definitions }}
	containers, apps := containersv1.GroupVersion.Group, appv1.GroupVersion.Group
	for _, test := range []struct {
		verb, group, resource, subresource, path string
		allowed                                  bool
	}{
		{verb: "list", group: containers, resource: "containers", allowed: true},
		{verb: "watch", group: containers, resource: "images", allowed: true},
		{verb: "get", group: containers, resource: "containers", subresource: "status", allowed: true},
		{verb: "get", group: containers, resource: "containers", subresource: "log", allowed: true},
		{verb: "get", group: containers, resource: "containers", subresource: "stats", allowed: true},
		{verb: "get", group: containers, resource: "containers", subresource: "exec"},
		{verb: "get", group: containers, resource: "containers", subresource: "attach"},
		{verb: "create", group: containers, resource: "containers", subresource: "exec"},
		{verb: "get", group: containers, resource: "containers", subresource: "later"},
		{verb: "list", group: containers, resource: "imagepullrequests", allowed: true},
		{verb: "create", group: containers, resource: "imagepullrequests"},
		{verb: "get", group: containers, resource: "containercreaterequests"},
		{verb: "list", group: containers, resource: "containercreaterequests"},
		{verb: "watch", group: containers, resource: "containercreaterequests"},
		{verb: "get", group: containers, resource: "containercreaterequests", subresource: "status"},
		{verb: "patch", group: containers, resource: "containers"},
		{verb: "delete", group: containers, resource: "containers"},
		{verb: "deletecollection", group: containers, resource: "images"},
		{verb: "get", group: apps, resource: "apps", allowed: true},
		{verb: "update", group: apps, resource: "apps"},
		{verb: "patch", group: apps, resource: "apps", subresource: "status"},
		{verb: "list", resource: "namespaces", allowed: true},
		{verb: "list", resource: "secrets"},
		{verb: "create", resource: "namespaces"},
		{verb: "list", resource: "events", allowed: true},
		{verb: "list", group: "events.k8s.io", resource: "events", allowed: true},
		{verb: "get", group: "apiextensions.k8s.io", resource: "customresourcedefinitions", allowed: true},
		{verb: "delete", group: "apiextensions.k8s.io", resource: "customresourcedefinitions"},
		{verb: "list", group: "admissionregistration.k8s.io", resource: "validatingadmissionpolicies", allowed: true},
		{verb: "create", group: "authorization.k8s.io", resource: "selfsubjectrulesreviews", allowed: true},
		{verb: "create", group: "authorization.k8s.io", resource: "selfsubjectaccessreviews", allowed: true},
		{verb: "create", group: "authentication.k8s.io", resource: "selfsubjectreviews", allowed: true},
		{verb: "list", group: "example.com", resource: "widgets", allowed: true},
		{verb: "create", group: "example.com", resource: "widgets"},
		{verb: "list", group: "example.com", resource: "vaultsecrets"},
		{verb: "list", group: "example.org", resource: "widgets"},
		{verb: "get", path: "/version", allowed: true},
		{verb: "get", path: "/apis/" + containers, allowed: true},
		{verb: "head", path: "/readyz", allowed: true},
		{verb: "get", path: "/metrics", allowed: true},
		{verb: "get", path: "/rdd/tree", allowed: true},
		{verb: "get", path: "/rdd/token"},
		{verb: "post", path: "/rdd/token"},
		{verb: "post", path: "/rdd/shutdown"},
		{verb: "get", path: "/debug/pprof/heap"},
		{verb: "post", path: "/version"},
	} {
		attributes := authorizer.AttributesRecord{
			User: RoleReadOnly.user(), Verb: test.verb, APIGroup: test.group, Resource: test.resource,
			Subresource: test.subresource, Path: test.path, ResourceRequest: test.path == "",
		}
		decision, reason, err := p.Authorize(t.Context(), attributes)
		if allowed := decision == authorizer.DecisionAllow; err != nil || allowed != test.allowed || !allowed && !strings.Contains(reason, "read-only token") {
			t.Errorf("%+v: allowed %t, reason %q, error %v", test, allowed, reason, err)
		}
		attributes.User = privileged(AdminUser)
		if decision, _, _ := p.Authorize(t.Context(), attributes); decision != authorizer.DecisionAllow {
			t.Errorf("%+v: refused to %s", test, AdminUser)
		}
		attributes.User = &user.DefaultInfo{Name: "other", Groups: []string{user.AllAuthenticated}}
		if decision, _, _ := p.Authorize(t.Context(), attributes); decision == authorizer.DecisionAllow {
			t.Errorf("%+v: allowed to another user", test)
		}
	}
}

// A resource whose schema has a field for secrets is not readable for ReadOnlyUser. A
// new kind with such a field fails this test until canHaveSecrets has it.
func TestReadOnlyUserReadsNoSecretFields(t *testing.T) {
	for _, definition := range ownDefinitions(t) {
		if canHaveSecrets(definition.Spec.Group, definition.Spec.Names.Plural) {
			continue
		}
		text, err := json.Marshal(definition.Spec.Versions)
		if err != nil {
			t.Fatal(err)
		}
		var schema any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		if found := secretFields(schema); len(found) > 0 {
			t.Errorf("%s has the fields %v", definition.Name, found)
		}
	}
}

// secretFields returns the names of fields in a schema that can have secrets.
func secretFields(value any) []string {
	var found []string
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			found = append(found, secretFields(item)...)
		}
	case map[string]any:
		if fields, ok := value["properties"].(map[string]any); ok {
			for name := range fields {
				if slices.Contains([]string{"env", "environment", "auth", "password", "token", "secret", "credentials"}, strings.ToLower(name)) {
					found = append(found, name)
				}
			}
		}
		for _, item := range value {
			found = append(found, secretFields(item)...)
		}
	}
	return found
}
