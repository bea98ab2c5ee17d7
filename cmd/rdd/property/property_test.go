package property

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// S1: the embedded schema has the documented properties and defaults.
func TestEmbeddedSchemaHasDocumentedDefaults(t *testing.T) {
	crd, err := EmbeddedCRD()
	if err != nil {
		t.Fatal(err)
	}
	set, err := FromCRD(crd, appv1.GroupVersion.Version)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"running":              "boolean false",
		"namespace":            "string rancher-desktop",
		"containerEngine.name": "string moby",
		"vm.driver":            "string auto",
		"vm.cpus":              "integer 2",
		"vm.memory":            "quantity 2Gi",
		"vm.disk":              "quantity 64Gi",
		"vm.image":             "string ",
		"vm.acceleration":      "string auto",
		"vm.endpoint":          "string ",
		"vm.mounts":            `array ["~"]`,
	} {
		p, found := set.Find(name)
		if got := p.Type + " " + p.Default; !found || got != want {
			t.Errorf("%s: %q (found %v), want %q", name, got, found, want)
		}
		if p.Description == "" || strings.Contains(p.Description, "\n") {
			t.Errorf("%s has the description %q", name, p.Description)
		}
	}
	if _, err := FromCRD(crd, "v0"); err == nil {
		t.Error("an unknown version has properties")
	}
}

// sample has one property of each type.
func sample(t *testing.T) Set {
	t.Helper()
	const schema = `{"properties":{"spec":{"type":"object","properties":{
		"running":{"type":"boolean","default":false},
		"fixed":{"type":"string","default":"x","x-kubernetes-validations":[{"rule":"self == oldSelf"}]},
		"name":{"type":"string","enum":["moby","containerd"]},
		"endpoint":{"type":"string"},
		"vm":{"type":"object","properties":{
			"cpus":{"type":"integer","minimum":1,"maximum":64},
			"port":{"x-kubernetes-int-or-string":true,"default":"http"},
			"memory":{"x-kubernetes-int-or-string":true,"default":"4Gi","pattern":"^[0-9]+([KMGTPE]i)?$"},
			"driver":{"type":"string","enum":["auto","native"]}}},
		"ratio":{"type":"number"},
		"list":{"type":"array","items":{"type":"string"}},
		"any":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
		"labels":{"type":"object","additionalProperties":{"type":"string"}}}}}}`
	var props apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal([]byte(schema), &props); err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	crd.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{
		Name: "v1", Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &props},
	}}
	set, err := FromCRD(crd, "v1")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestPatchUsesTypesOfSchema(t *testing.T) {
	for in, want := range map[string]string{
		"running=true":                   `{"running":true}`,
		"vm.cpus=4 vm.driver=native":     `{"vm":{"cpus":4,"driver":"native"}}`,
		"vm.memory=8Gi":                  `{"vm":{"memory":"8Gi"}}`,
		"vm.memory=1.5Gi":                `{"vm":{"memory":"1.5Gi"}}`,
		"vm.memory=1024":                 `{"vm":{"memory":"1024"}}`,
		"vm.port=1024":                   `{"vm":{"port":1024}}`,
		"vm.port=http":                   `{"vm":{"port":"http"}}`,
		"ratio=1.5":                      `{"ratio":1.5}`,
		`list=["a","b"]`:                 `{"list":["a","b"]}`,
		"list=a":                         `{"list":["a"]}`,
		"list=a,b=c":                     `{"list":["a","b=c"]}`,
		`any={"x":1}`:                    `{"any":{"x":1}}`,
		"any.x=1 any.y=text any.z=":      `{"any":{"x":1,"y":"text","z":null}}`,
		`any.a.b=["c"]`:                  `{"any":{"a.b":["c"]}}`,
		"labels.a.b=c":                   `{"labels":{"a.b":"c"}}`,
		`labels={"x":"y"}`:               `{"labels":{"x":"y"}}`,
		"endpoint=":                      `{"endpoint":""}`,
		"running= vm.cpus= vm.port=":     `{"running":null,"vm":{"cpus":null,"port":null}}`,
		"vm.memory= list= labels= name=": `{"labels":null,"list":null,"name":null,"vm":{"memory":null}}`,
		"labels.a=":                      `{"labels":{"a":""}}`,
		"fixed=y":                        `{"fixed":"y"}`,
		"endpoint=unix:///x=y name=moby": `{"endpoint":"unix:///x=y","name":"moby"}`,
	} {
		got, err := sample(t).Patch(strings.Fields(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if want := `{"spec":` + want + `}`; string(got) != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestWrongAssignmentSuggestsRightOne(t *testing.T) {
	for in, want := range map[string]string{
		"running":                    "PROPERTY=VALUE",
		"=true":                      "unknown property",
		"rnning=true":                "did you mean running?",
		"Running=true":               "did you mean running?",
		"spec.running=true":          "did you mean running?",
		"cpus=2":                     "did you mean vm.cpus?",
		"vm=x":                       "vm.cpus",
		"zebra=1":                    "the properties are: any, endpoint, labels, list, name, ratio, running, vm.cpus",
		"running=yes":                "true or false",
		"name=podman":                "moby, containerd",
		"vm.cpus=many":               "whole number, at least 1, at most 64",
		"vm.cpus=0":                  "at least 1",
		"ratio=x":                    "use a number",
		`list=["a`:                   "a list, such as a,b",
		"vm.memory=4GB":              "such as 512Mi or 4Gi; did you mean 4G?",
		"vm.memory=4GiB":             "did you mean 4Gi?",
		"vm.memory=lots":             "such as 512Mi or 4Gi",
		"vm.memory=0":                "such as 512Mi or 4Gi",
		"vm.memory=-1Gi":             "such as 512Mi or 4Gi",
		"running=true running=false": "set twice",
	} {
		_, err := sample(t).Patch(strings.Fields(in))
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

func TestDiff(t *testing.T) {
	before := appv1.AppSpec{Namespace: "a", VM: appv1.VM{Driver: "auto", Endpoint: "tcp://x"}}
	after := appv1.AppSpec{Namespace: "a", Running: true, VM: appv1.VM{Driver: "native"}}
	changes, err := Diff(before, after)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, change := range changes {
		lines = append(lines, change.String())
	}
	want := "running: false → true\nvm.driver: auto → native\nvm.endpoint: tcp://x → (not set)"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if same, err := Diff(after, after); err != nil || len(same) != 0 {
		t.Errorf("no difference: %v, %v", same, err)
	}
}

func FuzzPatch(f *testing.F) {
	f.Add("running=true")
	f.Add("labels.=x")
	f.Add("vm.cpus=99999999999999999999")
	f.Fuzz(func(t *testing.T, assignment string) {
		patch, err := sample(t).Patch([]string{assignment})
		var usage *UsageError
		if err != nil && !errors.As(err, &usage) {
			t.Errorf("%q: %v", assignment, err)
		}
		if err == nil && !json.Valid(patch) {
			t.Errorf("%q: %s", assignment, patch)
		}
	})
}
