package home

import (
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// older returns the definition of containers without fields of the status.
func older(t *testing.T, fields ...string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	d, err := ownDefinition(containersv1.KindContainer)
	if err != nil {
		t.Fatal(err)
	}
	status := d.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
	for _, field := range fields {
		delete(status.Properties, field)
	}
	return d
}

func skewWith(t *testing.T, theirs *apiextensionsv1.CustomResourceDefinition) *Skew {
	t.Helper()
	s := &Skew{kinds: map[containersv1.Kind]*structuralschema.Structural{}}
	if err := s.compare(containersv1.KindContainer, older(t), theirs); err != nil {
		t.Fatal(err)
	}
	return s
}

func container() *containersv1.Container {
	c := &containersv1.Container{}
	c.Status.Name, c.Status.Hostname = "web", "host"
	c.Status.Labels = map[string]string{"a": "b"}
	return c
}

func TestSkewNamesWhatIsNotStored(t *testing.T) {
	s := skewWith(t, older(t, "hostname", "labels"))
	if !slices.Equal(s.missing, []string{"containers: status.hostname", "containers: status.labels"}) {
		t.Errorf("missing %v", s.missing)
	}
	if m := s.Message(); !strings.Contains(m, "status.hostname") || !strings.Contains(m, "rdd hub install") {
		t.Errorf("message %q", m)
	}
	got := s.Storable(container()).(*containersv1.Container)
	if got.Status.Name != "web" || got.Status.Hostname != "" || got.Status.Labels != nil {
		t.Errorf("storable %+v", got.Status)
	}
}

func TestNoSkew(t *testing.T) {
	newer := older(t)
	status := newer.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
	status.Properties["later"] = apiextensionsv1.JSONSchemaProps{Type: "string"}
	for name, theirs := range map[string]*apiextensionsv1.CustomResourceDefinition{"equal": older(t), "newer": newer} {
		s := skewWith(t, theirs)
		c := container()
		if s.Message() != "" || s.Storable(c) != containersv1.Mirror(c) {
			t.Errorf("%s definitions: %q", name, s.Message())
		}
	}
	if none := (*Skew)(nil); none.Message() != "" {
		t.Error("no comparison has a message")
	}
}

// The API server adds the defaults of a newer definition to each status.
func TestSkewStoresNewerDefaults(t *testing.T) {
	newer := older(t)
	status := newer.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
	user := status.Properties["user"]
	user.Default = &apiextensionsv1.JSON{Raw: []byte(`"root"`)}
	status.Properties["user"] = user
	s := skewWith(t, newer)
	got := s.Storable(container()).(*containersv1.Container)
	if s.Message() != "" || got.Status.User != "root" || got.Status.Name != "web" {
		t.Errorf("message %q, storable %+v", s.Message(), got.Status)
	}
	named := container()
	named.Status.User = "web"
	if got := s.Storable(named).(*containersv1.Container); got.Status.User != "web" {
		t.Errorf("storable %+v", got.Status)
	}
}

func TestSchemaNeedsServedVersion(t *testing.T) {
	for name, change := range map[string]func(*apiextensionsv1.CustomResourceDefinitionVersion){
		"update rdd":      func(v *apiextensionsv1.CustomResourceDefinitionVersion) { v.Served = false },
		"rdd hub install": func(v *apiextensionsv1.CustomResourceDefinitionVersion) { v.Name = "v1" },
	} {
		d := older(t)
		change(&d.Spec.Versions[0])
		if _, err := schemaOf(d); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
}

// A field that only the items of a list lack is not stored either.
func TestSkewComparesItemsOfLists(t *testing.T) {
	theirs := older(t)
	status := theirs.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
	delete(status.Properties["mounts"].Items.Schema.Properties, "source")
	if s := skewWith(t, theirs); !slices.Equal(s.missing, []string{"containers: status.mounts[].source"}) {
		t.Errorf("missing %v", s.missing)
	}
}
