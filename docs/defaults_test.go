// Package docs_test compares the documentation with the program.
package docs_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
)

// property is one row of the table in api.md: type and default.
type property struct{ kind, value string }

// S1: docs and defaults differ.
func TestDocumentedDefaultsMatchCRD(t *testing.T) {
	documented, defined := documentedProperties(t), definedProperties(t)
	for name, want := range defined {
		if got := documented[name]; got != want {
			t.Errorf("api.md documents %s as %+v, and the CRD has %+v", name, got, want)
		}
	}
	for name := range documented {
		if _, ok := defined[name]; !ok {
			t.Errorf("api.md has a property %s, which the CRD lacks", name)
		}
	}
}

// documentedProperties reads the table that begins "| property | type | default |".
func documentedProperties(t *testing.T) map[string]property {
	t.Helper()
	text, err := os.ReadFile("api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| property | type | default | description |\n")
	if !found {
		t.Fatal("api.md has no table of properties")
	}
	row := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]*) \\| ([^|]*)\\|")
	properties := make(map[string]property)
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		if m := row.FindStringSubmatch(line); m != nil {
			plain := strings.NewReplacer("`", "", " ", "")
			properties[m[1]] = property{kind: plain.Replace(m[2]), value: plain.Replace(m[3])}
		}
	}
	return properties
}

func definedProperties(t *testing.T) map[string]property {
	t.Helper()
	text, err := crds.FS.ReadFile("app.rancherdesktop.io_apps.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &crd); err != nil {
		t.Fatal(err)
	}
	properties := make(map[string]property)
	collect(t, properties, "", crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])
	return properties
}

func collect(t *testing.T, into map[string]property, prefix string, schema apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		child := schema.Properties[name]
		if child.Type == "object" && len(child.Properties) > 0 {
			collect(t, into, prefix+name+".", child)
			continue
		}
		p := property{kind: strings.Replace(child.Type, "object", "map", 1)}
		if child.XIntOrString {
			p.kind = "quantity"
		}
		if len(child.Enum) > 0 {
			p.kind = strings.Join(texts(t, child.Enum), ",")
		}
		if child.Default != nil {
			p.value = texts(t, []apiextensionsv1.JSON{*child.Default})[0]
		}
		into[prefix+name] = p
	}
}

func texts(t *testing.T, values []apiextensionsv1.JSON) []string {
	t.Helper()
	var out []string
	for _, value := range values {
		var text any
		if err := json.Unmarshal(value.Raw, &text); err != nil {
			t.Fatal(err)
		}
		if s, ok := text.(string); ok {
			out = append(out, s)
			continue
		}
		out = append(out, string(value.Raw))
	}
	return out
}
