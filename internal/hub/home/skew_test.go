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
