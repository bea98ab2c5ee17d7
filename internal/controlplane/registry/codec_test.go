package registry

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
)

// The kind is the one that the default factory finds, in what both encoders write: typed
// objects have the kind first, and custom resources have sorted fields.
func FuzzLeadingMeta(f *testing.F) {
	for _, seed := range [][3]string{
		{"Image", "containers.rancherdesktop.io/v1alpha1", "a"}, {"", "", ""}, {`a"b\`, "v1", `{"kind":"Pod"}`},
		{"Image", "a/b/c", "a"}, {"Im<age", "v1", "a"}, {"é", "v1\n", "a"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, kind, version, name string) {
		typed := struct {
			metav1.TypeMeta   `json:",inline"`
			metav1.ObjectMeta `json:"metadata"`
		}{metav1.TypeMeta{Kind: kind, APIVersion: version}, metav1.ObjectMeta{Name: name}}
		untyped := map[string]any{"kind": kind, "apiVersion": version, "metadata": map[string]any{"kind": name}}
		late := map[string]any{"kind": kind, "apiVersion": version, "a": name}
		for _, object := range []any{typed, untyped, late} {
			data, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			want, wantErr := k8sjson.DefaultMetaFactory.Interpret(data)
			got, err := leadingMeta{}.Interpret(data)
			if (err == nil) != (wantErr == nil) || err == nil && *got != *want {
				t.Errorf("%s: %v, %v; want %v, %v", data, got, err, want, wantErr)
			}
		}
	})
}
